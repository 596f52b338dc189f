// lmpo bench: how fast this machine trains a model, and how fast it could.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/threads.h"
#include "bench/machine_speed.h"
#include "bench/step_speed.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "data/dataset.h"
#include "objective/registry.h"
#include "recipe/train_recipe.h"
#include "train/examples.h"
#include "train/machine_memory.h"
#include "train/memory_plan.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
    "  lmpo bench --model DIR                            pairs of typical length, random content\n"
    "  lmpo bench --model DIR --data pairs.json          the lengths of real rows\n"
    "  lmpo bench --model config.json --dtype bfloat16   a model that need not be there\n";

struct BenchOptions {
  fs::path model;
  std::vector<DataSource> data;
  std::int64_t prompt_tokens = 277;
  std::int64_t response_tokens = 266;
  std::int64_t micro_batch = 2;
  std::int64_t accumulation = 4;
  std::int64_t max_pack_tokens = 0;
  StepSpeedOptions step;
  std::string dtype = "float32";
  std::string compute = "float32";
  std::string recompute = "none";
  DataOptions data_options;
  std::int64_t threads = 0;
  bool json = false;
};

struct Measured {
  double product_rate = 0;  // operations a second
  double bandwidth = 0;     // bytes a second
  StepSpeed step;

  double achieved() const { return step.parts.total().operations / step.seconds; }
  double share() const { return achieved() / product_rate; }
  // Time of the step that no op took.
  double waiting() const { return step.seconds - step.parts.total().seconds; }
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

double milliseconds(double seconds, std::int64_t steps) {
  return 1e3 * seconds / static_cast<double>(steps);
}

std::string rate(const PartTime& time) {
  return time.operations > 0 ? fmt::format("{:7.0f}", time.operations / time.seconds / 1e9)
                             : fmt::format("{:>7}", "");
}

void print_table(const Measured& m, const BenchOptions& options) {
  const StepSpeed& step = m.step;
  const auto steps = options.step.steps;
  fmt::print("{} parameters, {} threads, products in {}\n", step.parameters, threads(),
             options.compute);
  fmt::print("products at the model's shapes   {:.0f} GFLOP/s\n", m.product_rate / 1e9);
  fmt::print("memory                           {:.1f} GB/s\n\n", m.bandwidth / 1e9);
  fmt::print("{:<18}{:>12}{:>9}{:>12}{:>9}{:>8}\n",
             "a step of " + std::to_string(options.step.batch), "forward ms", "GFLOP/s",
             "backward ms", "GFLOP/s", "share");
  for (std::size_t i = 0; i < step_parts; ++i) {
    const auto part = static_cast<StepPart>(i);
    const PartTime& forward = step.parts.at(part, Direction::forward);
    const PartTime& backward = step.parts.at(part, Direction::backward);
    fmt::print("{:<18}{:>12.1f}  {}{:>12.1f}  {}{:>7.1f}%\n", name(part),
               milliseconds(forward.seconds, steps), rate(forward),
               milliseconds(backward.seconds, steps), rate(backward),
               100 * (forward.seconds + backward.seconds) / step.seconds);
  }
  fmt::print("{:<18}{:>12.1f}{:>38.1f}%\n\n", "waiting", milliseconds(m.waiting(), steps),
             100 * m.waiting() / step.seconds);
  fmt::print("{:.3f} pairs/s, {:.0f} tokens/s; {:.1f}% of the tokens are prompts computed once\n",
             static_cast<double>(step.pairs) / step.seconds,
             static_cast<double>(step.tokens) / step.seconds,
             100.0 * static_cast<double>(step.shared_tokens) / static_cast<double>(step.tokens));
  fmt::print("{:.0f} useful GFLOP/s, {:.1f}% of the products' rate\n", m.achieved() / 1e9,
             100 * m.share());
  fmt::print("memory: {} planned for the step, {} at the peak of the process\n",
             readable_bytes(step.arena), readable_bytes(peak_resident_memory()));
}

ordered_json record(const Measured& m, const BenchOptions& options) {
  ordered_json parts;
  for (std::size_t i = 0; i < step_parts; ++i) {
    const auto part = static_cast<StepPart>(i);
    for (const Direction direction : {Direction::forward, Direction::backward}) {
      const PartTime& time = m.step.parts.at(part, direction);
      parts[std::string(name(part))][direction == Direction::forward ? "forward" : "backward"] = {
          {"seconds", time.seconds}, {"operations", time.operations}};
    }
  }
  return {{"parameters", m.step.parameters},
          {"threads", threads()},
          {"compute", options.compute},
          {"product_operations_per_second", m.product_rate},
          {"memory_bytes_per_second", m.bandwidth},
          {"pairs_per_second", static_cast<double>(m.step.pairs) / m.step.seconds},
          {"tokens_per_second", static_cast<double>(m.step.tokens) / m.step.seconds},
          {"useful_operations_per_second", m.achieved()},
          {"share_of_product_rate", m.share()},
          {"planned_bytes", m.step.arena},
          {"peak_resident_bytes", peak_resident_memory()},
          {"waiting_seconds", m.waiting()},
          {"parts", parts}};
}

Measured measure(const BenchOptions& options) {
  const ModelConfig config = read_model_config(options.model);
  std::vector<Tree> trees = options.data.empty()
                                ? random_pairs(options.step.batch, options.prompt_tokens,
                                               options.response_tokens, config.vocab_size)
                                : real_pairs(options);
  const auto objective =
      make_objective(options.step.objective, find_objective(options.step.objective).defaults);
  prepare_examples(trees, *objective, options.data_options.max_length);
  const auto ops = make_cpu_ops(parse_dtype(options.compute));
  Measured measured;
  measured.bandwidth = measure_bandwidth(*ops);
  measured.step = measure_steps(config, *ops, trees, options.step);
  measured.product_rate = product_rate(
      config, measure_products(config, *ops, measured.step.largest_pack, measured.step.head_rows));
  return measured;
}

}  // namespace

int run_bench(const std::vector<std::string>& arguments) {
  BenchOptions options;
  OptionSet set("lmpo bench",
                "Trains a few steps from random weights and says how fast, part by part, beside "
                "the machine's own speed at matrix products of the same sizes. Operations are "
                "those the mathematics asks for: no padding, no prompt twice, nothing recomputed.");
  set.group("Model and data");
  set.add("model_name_or_path", options.model, "folder of the model, or its config.json alone",
          {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
  set.add("dataset", options.data,
          "files of JSON, JSONL (also packed by gzip or zstd) or Parquet with preference rows, "
          "patterns (*) of them, dataset folders",
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
  set.add("objective", options.step.objective, "what is trained");
  set.add("per_device_train_batch_size", options.micro_batch, "pairs in a pack",
          {.range = at_least(1)});
  set.add("gradient_accumulation_steps", options.accumulation, "packs in a step",
          {.range = at_least(1)});
  set.add("max_pack_tokens", options.max_pack_tokens, "most input tokens in a pack; 0: no limit",
          {.range = at_least(0)});
  set.add("steps", options.step.steps, "steps to time", {.range = at_least(1)});
  set.add("recompute", options.recompute, "activations that are computed again in backward",
          {.choices = {"none", "mlp", "layers"}, .flags = {{"gradient_checkpointing", "layers"}}});
  set.add("dtype", options.dtype, "storage of the weights",
          {.choices = {"float32", "bfloat16", "float16"}, .old_names = {"torch_dtype"}});
  set.add("compute", options.compute, "type of the factors of matrix products",
          {.choices = {"float32", "bfloat16"}});
  add_threads_option(set, options.threads);
  set.add("json", options.json, "one JSON object instead of a table");
  set.section("Examples", kExamples);
  if (!set.parse(arguments)) {
    return 0;
  }
  apply_threads(options.threads);
  options.step.storage = parse_dtype(options.dtype);
  options.step.recompute = parse_recompute(options.recompute);
  options.step.limits = {options.micro_batch, options.max_pack_tokens};
  options.step.batch = options.micro_batch * options.accumulation;
  const Measured measured = measure(options);
  if (options.json) {
    fmt::print("{}\n", record(measured, options).dump(1));
  } else {
    print_table(measured, options);
  }
  return 0;
}

}  // namespace lmpo
