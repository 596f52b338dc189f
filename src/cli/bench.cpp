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

constexpr const char* kExamples =
    "  lmpo bench --model DIR                            random pairs of typical length\n"
    "  lmpo bench --model DIR --data pairs.json          real rows\n"
    "  lmpo bench --model config.json --dtype bfloat16   a model without weights\n";

struct BenchOptions {
  fs::path model;
  std::vector<DataSource> data;
  std::int64_t prompt_tokens = 277;
  std::int64_t response_tokens = 266;
  std::int64_t micro_batch = 2;
  std::int64_t accumulation = 4;
  std::int64_t max_pack_tokens = 0;
  StepSpeedOptions step;
  std::string device = "cpu";
  std::string dtype = "float32";
  std::string compute = "auto";
  std::string optim = "adamw_torch";
  bool paged_master = false;
  std::string recompute = "none";
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
  set.add_named_or_positional(
      "model_name_or_path", options.model, "folder of the model, or its config.json alone",
      {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
  set.add("dataset", options.data,
          "preference rows: JSON, JSONL (also compressed with gzip or zstd) or Parquet files, "
          "patterns with *, or dataset folders",
          {.value_name = "DATA",
           .synonyms = {"data"},
           .default_text = "pairs of random tokens",
           .structured = true});
  set.add("prompt_tokens", options.prompt_tokens, "without data: tokens of a prompt",
          {.range = at_least(1)});
  set.add("response_tokens", options.response_tokens, "without data: tokens of a response",
          {.range = at_least(1)});
  set.group("Tokens");
  add_data_options(set, options.data_options);
  set.group("Step");
  set.add("objective", options.step.objective, "objective of the steps");
  set.add("per_device_train_batch_size", options.micro_batch, "micro-batch size in pairs",
          {.range = at_least(1)});
  set.add("gradient_accumulation_steps", options.accumulation, "micro-batches per optimizer step",
          {.range = at_least(1)});
  set.add("max_pack_tokens", options.max_pack_tokens,
          "maximum input tokens per micro-batch; 0: no limit", {.range = at_least(0)});
  set.add("steps", options.step.steps, "number of steps to time", {.range = at_least(1)});
  set.add("recompute", options.recompute, "activations to recompute in the backward pass",
          {.choices = {"none", "mlp", "layers"}, .flags = {{"gradient_checkpointing", "layers"}}});
  set.add("dtype", options.dtype, "type of the weights",
          {.choices = {"float32", "bfloat16", "float16"}, .old_names = {"torch_dtype"}});
  add_compute_option(set, options.compute);
  set.add("optim", options.optim,
          "AdamW, with moments in 32 or 8 bits; paged: moments outside device memory",
          {.choices = {"adamw_torch", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit"}});
  set.add("paged_master", options.paged_master,
          "on a GPU: keep the part of the float32 master weights that 16-bit weights lack in "
          "host memory");
  set.add("device", options.device,
          "device to run on: cpu, cuda, or cuda:N for one of several GPUs");
  add_threads_option(set, options.threads);
  set.add("json", options.json, "one JSON object instead of a table");
  set.section("Examples", kExamples);
}

int run(BenchOptions options) {
  apply_threads(options.threads);
  options.step.storage = {.weights = parse_dtype(options.dtype),
                          .eight_bit_moments = options.optim.ends_with("8bit"),
                          .master = options.paged_master ? Place::host : Place::arena};
  options.step.recompute = parse_recompute(options.recompute);
  options.step.limits = {options.micro_batch, options.max_pack_tokens};
  options.step.batch = options.micro_batch * options.accumulation;
  const ModelConfig config = read_model_config(options.model);
  const auto device = open_device(options.device);
  if (options.optim.starts_with("paged")) {
    options.step.storage.moments = device->is_cpu() ? Place::file : Place::host;
  }
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

constinit const CommandCode kBenchCommand = command<declare, run>(
    "Measures a few training steps from random weights, part by part, and the machine's "
    "speed at matrix products of the same sizes. Counts useful operations only: no "
    "padding, no prompt twice, nothing recomputed.");

}  // namespace lmpo
