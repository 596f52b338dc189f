// lmpo plan: the memory of a run, to the byte, from a config.json alone.
#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"
#include "base/machine_memory.h"
#include "bench/step_speed.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "recipe/train_recipe.h"
#include "train/memory_plan.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
    "  lmpo plan --model DIR                                    a step of typical pairs\n"
    "  lmpo plan --model config.json --response_tokens 2048     a model that need not be there\n"
    "  lmpo plan -m DIR --device cuda --max_memory 80GB\n"
    "  lmpo train recipe.yaml --dry_run                         the plan of a run over its own "
    "data\n";

constexpr std::int64_t kMostTokens = 1 << 24;  // of a pack

// One way to run the same step.
struct Way {
  std::string dtype = "auto";
  std::string recompute = "none";
  std::string optim = "adamw_torch";
  std::int64_t micro_batch = 2;
  bool paged_master = false;

  bool operator==(const Way&) const = default;
};

struct PlanOptions {
  fs::path model;
  std::int64_t prompt_tokens = 512;
  std::int64_t response_tokens = 512;
  Way way;
  std::string device = "cpu";
  Bytes max_memory;
  bool json = false;
};

bool is_cuda(const PlanOptions& options) {
  return options.device == "cuda";
}

MemoryPlan plan_of(const ModelConfig& config, const PlanOptions& options, const Way& way) {
  const std::vector<Tree> trees = random_pairs(way.micro_batch, options.prompt_tokens,
                                               options.response_tokens, config.vocab_size);
  LargestPacks packs;
  packs.add(pointers(trees), {.micro_batch = way.micro_batch});
  const LlamaOptions model = {.max_positions = options.prompt_tokens + options.response_tokens,
                              .recompute = parse_recompute(way.recompute)};
  TrainRecipe recipe;
  recipe.optim = way.optim;
  const Place elsewhere = is_cuda(options) ? Place::host : Place::file;
  const StoragePlan storage = {
      .weights = way.dtype == "auto" ? config.dtype : parse_dtype(way.dtype),
      .eight_bit_moments = recipe.eight_bit_moments(),
      .moments = recipe.paged_moments() ? elsewhere : Place::arena,
      .master = way.paged_master ? Place::host : Place::arena};
  const auto ops = is_cuda(options) ? make_cuda_plan_ops() : make_cpu_ops();
  const std::size_t beside =
      is_cuda(options) ? cuda_memory_beside_arenas() : make_cpu_device()->memory_beside_arenas();
  return plan_memory(config, storage, model, packs, {}, *ops, beside);
}

// What one option would change: each other value of each, and all that save together.
std::vector<std::pair<std::string, Way>> changes(const PlanOptions& options) {
  std::vector<std::pair<std::string, Way>> all;
  const auto add = [&](std::string flags, const Way& way) {
    if (way != options.way) {
      all.emplace_back(std::move(flags), way);
    }
  };
  Way way = options.way;
  for (way.micro_batch /= 2; way.micro_batch > 0; way.micro_batch /= 2) {
    add(fmt::format("--per_device_train_batch_size {}", way.micro_batch), way);
  }
  for (const char* recompute : {"mlp", "layers"}) {
    way = options.way;
    way.recompute = recompute;
    add(fmt::format("--recompute {}", recompute), way);
  }
  for (const char* optim : {"adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit"}) {
    way = options.way;
    way.optim = optim;
    add(fmt::format("--optim {}", optim), way);
  }
  if (is_cuda(options)) {
    way = options.way;
    way.paged_master = true;
    add("--paged_master", way);
  }
  way = options.way;
  way.dtype = "bfloat16";
  add("--dtype bfloat16", way);
  add("all of these", {"bfloat16", "layers", "paged_adamw_8bit", 1, is_cuda(options)});
  return all;
}

void print_changes(const ModelConfig& config, const PlanOptions& options, const MemoryPlan& chosen,
                   std::size_t limit) {
  fmt::print("\nWhat each option changes alone:\n  {:<34}{:>12}{:>12}\n", "", "total", "saves");
  const auto line = [&](const std::string& flags, const MemoryPlan& plan) {
    const std::size_t total = chosen.total();
    const std::string saved = plan.total() < total ? readable_bytes(total - plan.total()) : "-";
    fmt::print("  {:<34}{:>12}{:>12}  {}\n", flags, readable_bytes(plan.total()), saved,
               plan.total() <= limit ? "fits" : "");
  };
  line("as above", chosen);
  for (const auto& [flags, way] : changes(options)) {
    line(flags, plan_of(config, options, way));
  }
}

ordered_json record(const Way& way, const MemoryPlan& plan, std::size_t limit) {
  return {{"dtype", way.dtype},      {"recompute", way.recompute},
          {"optim", way.optim},      {"per_device_train_batch_size", way.micro_batch},
          {"arena", plan.arena},     {"fixed", plan.fixed},
          {"disk", plan.disk},       {"host", plan.host},
          {"at_peak", plan.at_peak}, {"fits", plan.total() <= limit}};
}

void declare(OptionSet& set, PlanOptions& options) {
  set.add_named_or_positional(
      "model_name_or_path", options.model, "folder of the model, or its config.json alone",
      {.value_name = "DIR", .letter = 'm', .synonyms = {"model"}, .required = true});
  const Range tokens = within(1, static_cast<double>(kMostTokens));
  set.add("prompt_tokens", options.prompt_tokens, "tokens of the longest prompts",
          {.range = tokens});
  set.add("response_tokens", options.response_tokens, "tokens of their responses",
          {.range = tokens});
  set.add("per_device_train_batch_size", options.way.micro_batch, "pairs in a pack",
          {.range = within(1, 1024)});
  set.add("dtype", options.way.dtype, "storage of the weights; auto: as in the checkpoint",
          {.choices = {"auto", "float32", "bfloat16", "float16"}, .old_names = {"torch_dtype"}});
  set.add("recompute", options.way.recompute, "activations that are computed again in backward",
          {.choices = {"none", "mlp", "layers"}, .flags = {{"gradient_checkpointing", "layers"}}});
  set.add("optim", options.way.optim, "how and where the moments are kept",
          {.choices = {"adamw_torch", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit"}});
  set.add("device", options.device,
          "what computes; cuda: activations in bfloat16; a plan needs no GPU",
          {.choices = {"cpu", "cuda"}});
  set.add("paged_master", options.way.paged_master,
          "on a GPU: the bits that 16-bit weights lack of their float32 master lie in the host's "
          "memory");
  set.add("max_memory", options.max_memory, "what there is; 0: what the machine has free");
  set.add("json", options.json, "all ways as JSON instead of tables");
  set.section("Examples", kExamples);
  set.check([&] {
    const std::int64_t pair = options.prompt_tokens + 2 * options.response_tokens;
    if (pair > kMostTokens / options.way.micro_batch) {
      set.reject("per_device_train_batch_size",
                 fmt::format("{} pairs of --prompt_tokens {} and 2 x --response_tokens {} are more "
                             "than {} tokens in a pack, which no machine computes at once",
                             options.way.micro_batch, options.prompt_tokens,
                             options.response_tokens, kMostTokens));
    }
  });
}

int run(const PlanOptions& options) {
  const ModelConfig config = read_model_config(options.model);
  const std::size_t limit = options.max_memory.count > 0
                                ? static_cast<std::size_t>(options.max_memory.count)
                                : available_memory();
  const MemoryPlan chosen = plan_of(config, options, options.way);
  if (options.json) {
    ordered_json ways = ordered_json::array({record(options.way, chosen, limit)});
    for (const auto& [flags, way] : changes(options)) {
      ways.push_back(record(way, plan_of(config, options, way), limit));
    }
    fmt::print("{}\n", ways.dump(1));
    return 0;
  }
  fmt::print("{}: {} pairs of {} + 2 x {} tokens in a pack\n{}", options.model.string(),
             options.way.micro_batch, options.prompt_tokens, options.response_tokens,
             chosen.table());
  print_changes(config, options, chosen, limit);
  return 0;
}

}  // namespace

constinit const CommandCode kPlanCommand = command<declare, run>(
    "Shows the memory that a training step takes, group by group, before anything is loaded, and "
    "what other ways to run the same step would save.");

}  // namespace lmpo
