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

struct Measured {
  std::string device;
  Dtype compute = Dtype::f32;
  double dense_rate = 0;    // of large square products; of a GPU alone
  double product_rate = 0;  // of the model's, operations a second
  double bandwidth = 0;     // bytes a second
  StepSpeed step;

  double achieved() const { return step.parts.total().operations / step.seconds; }
  double share() const { return achieved() / product_rate; }
  // Time of the step that no op took; none where ops were timed in a step of their own.
  double waiting() const { return std::max(0.0, step.seconds - step.parts.total().seconds); }
  double per_second(std::int64_t count, const BenchOptions& options) const {
    return static_cast<double>(count) / (step.seconds * static_cast<double>(options.step.steps));
  }
  double pairs_per_second(const BenchOptions& options) const {
    return per_second(step.pairs, options);
  }
  double tokens_per_second(const BenchOptions& options) const {
    return per_second(step.tokens, options);
  }
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

// "GFLOP/s", or "TFLOP/s" of a GPU.
struct RateUnit {
  const char* name;
  double size;
};
RateUnit unit_of(const Measured& m) {
  return m.dense_rate > 0 ? RateUnit{"TFLOP/s", 1e12} : RateUnit{"GFLOP/s", 1e9};
}

std::string rate(const PartTime& time, const RateUnit& unit) {
  return time.operations > 0 ? fmt::format("{:7.0f}", time.operations / time.seconds / unit.size)
                             : fmt::format("{:>7}", "");
}

void print_table(const Measured& m, const BenchOptions& options) {
  const StepSpeed& step = m.step;
  const RateUnit unit = unit_of(m);
  fmt::print("{} parameters, {}, products in {}\n", step.parameters,
             m.dense_rate > 0 ? m.device : fmt::format("{} threads", threads()),
             dtype_name(m.compute));
  if (m.dense_rate > 0) {
    fmt::print("matmul of 8192 x 8192            {:.0f} {}\n", m.dense_rate / unit.size, unit.name);
  }
  fmt::print("matmul at the model's shapes     {:.0f} {}\n", m.product_rate / unit.size, unit.name);
  fmt::print("memory                           {:.1f} GB/s\n\n", m.bandwidth / 1e9);
  fmt::print("{:<18}{:>12}{:>9}{:>12}{:>9}{:>8}\n",
             "a step of " + std::to_string(options.step.batch), "forward ms", unit.name,
             "backward ms", unit.name, "share");
  const double all = step.parts.total().seconds + m.waiting();
  for (std::size_t i = 0; i < kStepParts; ++i) {
    const auto part = static_cast<StepPart>(i);
    const PartTime& forward = step.parts.at(part, Direction::forward);
    const PartTime& backward = step.parts.at(part, Direction::backward);
    fmt::print("{:<18}{:>12.1f}  {}{:>12.1f}  {}{:>7.1f}%\n", name(part), 1e3 * forward.seconds,
               rate(forward, unit), 1e3 * backward.seconds, rate(backward, unit),
               100 * (forward.seconds + backward.seconds) / all);
  }
  if (m.waiting() > 0) {
    fmt::print("{:<18}{:>12.1f}{:>38.1f}%\n", "waiting", 1e3 * m.waiting(),
               100 * m.waiting() / all);
  }
  fmt::print(
      "\n{:.3f} s a step: {:.3f} pairs/s, {:.0f} tokens/s; {:.1f}% of the tokens are prompts "
      "computed once\n",
      step.seconds, m.pairs_per_second(options), m.tokens_per_second(options),
      100.0 * static_cast<double>(step.shared_tokens) / static_cast<double>(step.tokens));
  const double peak = m.dense_rate > 0 ? m.dense_rate : m.product_rate;
  fmt::print("{:.0f} useful {} ({:.1f}% of peak matmul)\n", m.achieved() / unit.size, unit.name,
             100 * m.achieved() / peak);
  fmt::print(
      "memory: {} planned for the step{}, {} at the peak\n", readable_bytes(step.memory.arena),
      step.memory.host > 0 ? fmt::format(" and {} of the host", readable_bytes(step.memory.host))
                           : "",
      readable_bytes(step.peak_memory));
}

ordered_json record(const Measured& m, const BenchOptions& options) {
  ordered_json parts;
  for (std::size_t i = 0; i < kStepParts; ++i) {
    const auto part = static_cast<StepPart>(i);
    for (const Direction direction : {Direction::forward, Direction::backward}) {
      const PartTime& time = m.step.parts.at(part, direction);
      parts[std::string(name(part))][direction == Direction::forward ? "forward" : "backward"] = {
          {"seconds", time.seconds}, {"operations", time.operations}};
    }
  }
  return {{"parameters", m.step.parameters},
          {"device", m.device},
          {"threads", threads()},
          {"compute", dtype_name(m.compute)},
          {"dense_operations_per_second", m.dense_rate},
          {"product_operations_per_second", m.product_rate},
          {"memory_bytes_per_second", m.bandwidth},
          {"seconds_per_step", m.step.seconds},
          {"pairs_per_second", m.pairs_per_second(options)},
          {"tokens_per_second", m.tokens_per_second(options)},
          {"useful_operations_per_second", m.achieved()},
          {"share_of_product_rate", m.share()},
          {"largest_pack_tokens", m.step.largest_pack},
          {"planned_bytes", m.step.memory.arena},
          {"planned_host_bytes", m.step.memory.host},
          {"peak_bytes", m.step.peak_memory},
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
  const auto device = open_device(options.device);
  Measured measured;
  measured.device = device->name();
  measured.compute = compute_type(*device, options.compute);
  const auto ops = device->make_ops(measured.compute);
  StepSpeedOptions step = options.step;
  if (options.optim.starts_with("paged")) {
    step.storage.moments = device->is_cpu() ? Place::file : Place::host;
  }
  measured.bandwidth = measure_bandwidth(*device, *ops);
  measured.step = measure_steps(config, *device, *ops, trees, step);
  measured.product_rate = product_rate(
      config,
      measure_products(config, *device, *ops, measured.step.largest_pack, measured.step.head_rows));
  measured.dense_rate = device->is_cpu() ? 0 : measure_dense_rate(*device, *ops);
  return measured;
}

void declare(OptionSet& set, BenchOptions& options) {
  set.group("Model and data");
  set.add_named_or_positional(
      "model_name_or_path", options.model, "folder of the model, or its config.json alone",
      {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
  set.add("dataset", options.data,
          "files of JSON, JSONL (also compressed by gzip or zstd) or Parquet with preference rows, "
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
  set.add("objective", options.step.objective, "training objective");
  set.add("per_device_train_batch_size", options.micro_batch, "pairs in a micro-batch",
          {.range = at_least(1)});
  set.add("gradient_accumulation_steps", options.accumulation, "micro-batches per step",
          {.range = at_least(1)});
  set.add("max_pack_tokens", options.max_pack_tokens, "most tokens in a micro-batch; 0: no limit",
          {.range = at_least(0)});
  set.add("steps", options.step.steps, "steps to time", {.range = at_least(1)});
  set.add("recompute", options.recompute, "activations to recompute in the backward pass",
          {.choices = {"none", "mlp", "layers"}, .flags = {{"gradient_checkpointing", "layers"}}});
  set.add("dtype", options.dtype, "type of the weights",
          {.choices = {"float32", "bfloat16", "float16"}, .old_names = {"torch_dtype"}});
  set.add("compute", options.compute,
          "type of the inputs of matrix products; auto: bfloat16 on a GPU, float32 on a CPU",
          {.choices = {"auto", "float32", "bfloat16"}});
  set.add("optim", options.optim, "how and where the optimizer keeps its moments",
          {.choices = {"adamw_torch", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit"}});
  set.add("paged_master", options.paged_master,
          "on a GPU: keep what 16-bit weights lack of their float32 master in host memory");
  set.add("device", options.device, "device to run on: cpu, cuda, or cuda:N");
  add_threads_option(set, options.threads);
  set.add("json", options.json, "print one JSON object instead of a table");
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
  const Measured measured = measure(options);
  if (options.json) {
    fmt::print("{}\n", record(measured, options).dump(1));
  } else {
    print_table(measured, options);
  }
  return 0;
}

}  // namespace

constinit const CommandCode kBenchCommand = command<declare, run>(
    "Trains a few steps from random weights and shows the speed of each part, next to the "
    "machine's speed at matrix products of the same sizes. Operations are those that the "
    "computation needs: without padding, repeated prompts or recomputation.");

}  // namespace lmpo
