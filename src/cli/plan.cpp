// lmpo plan: the memory of a run, to the byte, from a config.json alone.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "bench/step_speed.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "train/machine_memory.h"
#include "train/memory_plan.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
    "  lmpo plan --model DIR                                    a step of typical pairs\n"
    "  lmpo plan --model config.json --response_tokens 2048     a model that need not be there\n"
    "  lmpo train recipe.yaml --dry_run                         the plan of a run over its own "
    "data\n";

struct PlanOptions {
  fs::path model;
  std::int64_t prompt_tokens = 512;
  std::int64_t response_tokens = 512;
  std::int64_t micro_batch = 2;
  std::string dtype = "auto";
  std::string recompute = "none";
  Bytes max_memory;
  bool json = false;
};

// One way to run the same step.
struct Variant {
  Dtype storage;
  Recompute recompute;
  std::int64_t micro_batch;
  MemoryPlan plan;
};

MemoryPlan plan_of(const ModelConfig& config, const PlanOptions& options, const Variant& variant) {
  const std::vector<Tree> trees = random_pairs(variant.micro_batch, options.prompt_tokens,
                                               options.response_tokens, config.vocab_size);
  std::vector<const Tree*> batch;
  for (const Tree& tree : trees) {
    batch.push_back(&tree);
  }
  LargestPacks packs;
  packs.add(batch, {.max_trees = variant.micro_batch});
  const LlamaOptions model = {.max_positions = options.prompt_tokens + options.response_tokens,
                              .recompute = variant.recompute};
  return plan_memory(config, variant.storage, model, packs, {}, *make_cpu_ops());
}

// The fastest first: a pack of fewer pairs costs little, recomputation a tenth or a third.
std::vector<Variant> variants(const ModelConfig& config, Dtype storage,
                              const PlanOptions& options) {
  std::vector<Variant> all;
  for (const Recompute recompute : {Recompute::none, Recompute::mlp, Recompute::layers}) {
    for (std::int64_t pairs = options.micro_batch; pairs > 0; pairs /= 2) {
      Variant variant{storage, recompute, pairs, {}};
      variant.plan = plan_of(config, options, variant);
      all.push_back(std::move(variant));
    }
  }
  return all;
}

void print_variants(const std::vector<Variant>& all, const MemoryPlan& chosen, std::size_t limit) {
  fmt::print("\nThe same step in other ways, the fastest first:\n");
  fmt::print("  {:>15}{:>15}{:>12}{:>12}\n", "pairs in a pack", "recompute", "in all", "saves");
  for (const Variant& variant : all) {
    const std::size_t bytes = variant.plan.total();
    fmt::print(
        "  {:>15}{:>15}{:>12}{:>12}{}\n", variant.micro_batch, recompute_name(variant.recompute),
        readable_bytes(bytes),
        variant.plan.arena < chosen.arena ? readable_bytes(chosen.arena - variant.plan.arena) : "",
        bytes <= limit ? "  fits" : "");
  }
}

ordered_json record(const std::vector<Variant>& all, std::size_t limit) {
  ordered_json lines = ordered_json::array();
  for (const Variant& variant : all) {
    lines.push_back({{"dtype", dtype_name(variant.storage)},
                     {"recompute", recompute_name(variant.recompute)},
                     {"per_device_train_batch_size", variant.micro_batch},
                     {"arena", variant.plan.arena},
                     {"fixed", variant.plan.fixed},
                     {"at_peak", variant.plan.at_peak},
                     {"fits", variant.plan.total() <= limit}});
  }
  return lines;
}

}  // namespace

int run_plan(const std::vector<std::string>& arguments) {
  PlanOptions options;
  OptionSet set(
      "lmpo plan",
      "Shows the memory that a training step takes on this machine, group by group, before "
      "anything is loaded, and what other ways to run the same step would save.");
  set.add("model_name_or_path", options.model, "folder of the model, or its config.json alone",
          {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
  set.add("prompt_tokens", options.prompt_tokens, "tokens of the longest prompts",
          {.range = at_least(1)});
  set.add("response_tokens", options.response_tokens, "tokens of their responses",
          {.range = at_least(1)});
  set.add("per_device_train_batch_size", options.micro_batch, "pairs in a pack",
          {.range = within(1, 1024)});
  set.add("dtype", options.dtype, "storage of the weights; auto: as in the checkpoint",
          {.choices = {"auto", "float32", "bfloat16", "float16"}, .old_names = {"torch_dtype"}});
  set.add("recompute", options.recompute, "activations that are computed again in backward",
          {.choices = {"none", "mlp", "layers"}, .flags = {{"gradient_checkpointing", "layers"}}});
  set.add("max_memory", options.max_memory, "what there is; 0: what the machine has free");
  set.add("json", options.json, "all ways as JSON instead of tables");
  set.section("Examples", kExamples);
  if (!set.parse(arguments)) {
    return 0;
  }
  const ModelConfig config = read_model_config(options.model);
  const Dtype storage = options.dtype == "auto" ? config.dtype : parse_dtype(options.dtype);
  const std::size_t limit = options.max_memory.count > 0
                                ? static_cast<std::size_t>(options.max_memory.count)
                                : available_memory();
  const std::vector<Variant> all = variants(config, storage, options);
  if (options.json) {
    fmt::print("{}\n", record(all, limit).dump(1));
    return 0;
  }
  const MemoryPlan chosen = plan_of(
      config, options, {storage, parse_recompute(options.recompute), options.micro_batch, {}});
  fmt::print("{}: {} pairs of {} + 2 x {} tokens, weights in {}, recompute {}\n{}",
             options.model.string(), options.micro_batch, options.prompt_tokens,
             options.response_tokens, dtype_name(storage), options.recompute, chosen.table());
  print_variants(all, chosen, limit);
  return 0;
}

}  // namespace lmpo
