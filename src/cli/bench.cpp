// lmpo bench: how fast this machine trains a model, and how fast it could.
#include <fmt/format.h>

#include "base/error.h"
#include "bench/measurement.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "data/dataset.h"
#include "recipe/train_recipe.h"
#include "text/text_model.h"

namespace lmpo {
namespace {

constexpr const char* kBenchExamples =
    "  lmpo bench --model DIR                            random pairs of typical length\n"
    "  lmpo bench --model DIR --data pairs.json          real rows\n"
    "  lmpo bench --model config.json --dtype bfloat16   a model without weights\n";

struct BenchOptions {
  fs::path model;
  std::vector<DataSource> data;
  std::int64_t prompt_tokens = 277;
  std::int64_t response_tokens = 266;
  std::int64_t accumulation = 4;
  std::int64_t max_pack_tokens = 0;
  StepSpeedOptions step;
  std::string device = "cpu";
  StepWay way = {.dtype = "float32", .freeze = {}};
  std::string compute = "auto";
  DataOptions data_options;
  std::int64_t threads = 0;
  bool json = false;
};

std::vector<Tree> real_pairs(const BenchOptions& options) {
  const TextModel text = TextModel::load(options.model);
  Dataset dataset =
      load_dataset(options.data, text.tokenizer, text.chat_template(), options.data_options);
  if (dataset.trees.empty()) {
    user_error("no row can be used: {}", dataset.drops.summary());
  }
  return std::move(dataset.trees);
}

void declare(OptionSet& set, BenchOptions& options) {
  set.group("Model and data");
  add_model_or_config_option(set, options.model);
  add_data_option(set, options.data, "pairs of random tokens");
  set.add("prompt_tokens", options.prompt_tokens, "without data: tokens of a prompt",
          {.range = at_least(1)});
  set.add("response_tokens", options.response_tokens, "without data: tokens of a response",
          {.range = at_least(1)});
  set.group("Tokens");
  add_data_options(set, options.data_options);
  set.group("Step");
  set.add("objective", options.step.objective, "objective of the steps");
  set.add("per_device_train_batch_size", options.way.micro_batch, "micro-batch size in pairs",
          {.range = at_least(1)});
  set.add("gradient_accumulation_steps", options.accumulation, "micro-batches per optimizer step",
          {.range = at_least(1)});
  set.add("max_pack_tokens", options.max_pack_tokens,
          "maximum input tokens per micro-batch; 0: no limit", {.range = at_least(0)});
  set.add("steps", options.step.steps, "number of steps to time", {.range = at_least(1)});
  add_step_options(set, options.way);
  add_dtype_option(set, options.way.dtype);
  add_compute_option(set, options.compute);
  set.add("device", options.device,
          "device to run on: cpu, cuda, or cuda:N for one of several GPUs");
  add_threads_option(set, options.threads);
  set.add("json", options.json, "one JSON object instead of a table");
  set.section("Examples", kBenchExamples);
}

int run(BenchOptions options) {
  apply_threads(options.threads);
  options.step.recompute = parse_recompute(options.way.recompute);
  options.step.limits = {options.way.micro_batch, options.max_pack_tokens};
  options.step.batch = options.way.micro_batch * options.accumulation;
  const ModelConfig config = read_model_config(options.model);
  const auto device = open_device(options.device);
  options.step.storage = storage_of(config, options.way, !device->is_cpu());
  std::vector<Tree> trees = options.data.empty()
                                ? random_pairs(options.step.batch, options.prompt_tokens,
                                               options.response_tokens, config.vocab_size)
                                : real_pairs(options);
  const Measurement measured =
      measure(config, *device, compute_type(*device, options.compute), std::move(trees),
              options.data_options.max_length, options.step);
  if (options.json) {
    fmt::print("{}\n", to_json(measured).dump(1));
  } else {
    fmt::print("{}", to_text(measured));
  }
  return 0;
}

}  // namespace

constinit const CommandCode kBenchCommand = command<BenchOptions>(
    "Measures a few training steps from random weights, part by part, and the machine's "
    "speed at matrix products of the same sizes. Counts useful operations only: no "
    "padding, no prompt twice, nothing recomputed.");

}  // namespace lmpo
