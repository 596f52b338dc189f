// lmpo plan: the memory of a run, to the byte, from a config.json alone.
#include <fmt/format.h>

#include "base/error.h"
#include "base/machine_memory.h"
#include "bench/step_plan.h"
#include "cli/commands.h"
#include "cli/common_options.h"

namespace lmpo {
namespace {

constexpr const char* kPlanExamples =
    "  lmpo plan --model DIR                                    a step with typical pairs\n"
    "  lmpo plan --model config.json --response_tokens 2048     a model without weights\n"
    "  lmpo plan -m DIR --device cuda --max_memory 80GB\n"
    "  lmpo train recipe.yaml --dry_run                         the plan of a run with its data\n";

constexpr std::int64_t kMostTokens = 1 << 24;  // of a pack

struct PlanOptions {
  fs::path model;
  StepSizes sizes;
  StepWay way;
  std::string device = "cpu";
  Bytes max_memory;
  bool json = false;
};

void declare(OptionSet& set, PlanOptions& options) {
  add_model_or_config_option(set, options.model);
  const Range tokens = within(1, static_cast<double>(kMostTokens));
  set.add("prompt_tokens", options.sizes.prompt_tokens, "tokens of the longest prompts",
          {.range = tokens});
  set.add("response_tokens", options.sizes.response_tokens, "tokens of their responses",
          {.range = tokens});
  set.add("per_device_train_batch_size", options.way.micro_batch, "micro-batch size in pairs",
          {.range = within(1, 1024)});
  add_dtype_option(set, options.way.dtype, "as in the checkpoint");
  add_step_options(set, options.way);
  set.add("freeze", options.way.freeze, "parameters that do not train, see lmpo train",
          {.value_name = "PATTERN"});
  set.add("device", options.device,
          "device to plan for; cuda: activations in bfloat16. A plan needs no GPU",
          {.choices = {"cpu", "cuda"}});
  set.add("max_memory", options.max_memory, "memory limit; 0: what the machine has free");
  set.add("json", options.json, "all plans as JSON instead of tables");
  set.section("Examples", kPlanExamples);
  set.check([&] {
    const std::int64_t pair = options.sizes.prompt_tokens + 2 * options.sizes.response_tokens;
    if (pair > kMostTokens / options.way.micro_batch) {
      set.reject(
          "per_device_train_batch_size",
          fmt::format(
              "{} pairs of --prompt_tokens {} and 2 x --response_tokens {} exceed {} tokens per "
              "micro-batch",
              options.way.micro_batch, options.sizes.prompt_tokens, options.sizes.response_tokens,
              kMostTokens));
    }
  });
}

int run(const PlanOptions& options) {
  const ModelConfig config = read_model_config(options.model);
  check_freeze(config, options.way.freeze);
  const std::size_t limit = options.max_memory.count > 0
                                ? static_cast<std::size_t>(options.max_memory.count)
                                : available_memory();
  StepSizes sizes = options.sizes;
  sizes.cuda = options.device == "cuda";
  const MemoryPlan plan = plan_step(config, sizes, options.way);
  if (options.json) {
    fmt::print("{}\n", ways_json(config, sizes, options.way, plan, limit).dump(1));
    return 0;
  }
  fmt::print("{}: {} pairs of {} + 2 x {} tokens in a pack\n{}", options.model.string(),
             options.way.micro_batch, sizes.prompt_tokens, sizes.response_tokens, plan.table());
  fmt::print("{}", ways_table(config, sizes, options.way, plan, limit));
  return 0;
}

}  // namespace

constinit const CommandCode kPlanCommand = command<PlanOptions>(
    "Shows the memory of a training step, group by group, before anything is loaded, and "
    "what other settings would save.");

}  // namespace lmpo
