#include "bench/step_plan.h"

#include <fmt/format.h>

#include "bench/step_speed.h"
#include "recipe/train_recipe.h"

namespace lmpo {
namespace {

ordered_json to_json(const StepWay& way, const MemoryPlan& plan, std::size_t limit) {
  return {{"dtype", way.dtype},      {"recompute", way.recompute},
          {"optim", way.optim},      {"per_device_train_batch_size", way.micro_batch},
          {"arena", plan.arena},     {"fixed", plan.fixed},
          {"disk", plan.disk},       {"host", plan.host},
          {"at_peak", plan.at_peak}, {"fits", plan.total() <= limit}};
}

}  // namespace

StoragePlan storage_of(const ModelConfig& config, const StepWay& way, bool cuda) {
  TrainRecipe recipe;
  recipe.optim = way.optim;
  const Place elsewhere = cuda ? Place::host : Place::file;
  return {.weights = way.dtype == "auto" ? config.dtype : parse_dtype(way.dtype),
          .eight_bit_moments = recipe.eight_bit_moments(),
          .moments = recipe.paged_moments() ? elsewhere : Place::arena,
          .master = way.paged_master ? Place::host : Place::arena,
          .freeze = way.freeze};
}

MemoryPlan plan_step(const ModelConfig& config, const StepSizes& sizes, const StepWay& way) {
  const std::vector<Tree> trees =
      random_pairs(way.micro_batch, sizes.prompt_tokens, sizes.response_tokens, config.vocab_size);
  LargestPacks packs;
  packs.add_pack(pointers(trees));
  const LanguageModelOptions model = {.max_positions = sizes.prompt_tokens + sizes.response_tokens,
                                      .recompute = parse_recompute(way.recompute)};
  const auto ops = sizes.cuda ? make_cuda_plan_ops() : make_cpu_ops();
  const std::size_t beside =
      sizes.cuda ? cuda_memory_beside_arenas() : make_cpu_device()->memory_beside_arenas();
  return plan_memory(config, storage_of(config, way, sizes.cuda), model, packs, {}, *ops, beside);
}

std::vector<OtherWay> other_ways(const StepWay& chosen, bool cuda) {
  std::vector<OtherWay> all;
  const auto add = [&](std::string flags, const StepWay& way) {
    if (way != chosen) {
      all.push_back({std::move(flags), way});
    }
  };
  StepWay way = chosen;
  for (way.micro_batch /= 2; way.micro_batch > 0; way.micro_batch /= 2) {
    add(fmt::format("--per_device_train_batch_size {}", way.micro_batch), way);
  }
  for (const char* recompute : {"mlp", "layers"}) {
    way = chosen;
    way.recompute = recompute;
    add(fmt::format("--recompute {}", recompute), way);
  }
  for (const char* optim : {"adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit"}) {
    way = chosen;
    way.optim = optim;
    add(fmt::format("--optim {}", optim), way);
  }
  if (cuda) {
    way = chosen;
    way.paged_master = true;
    add("--paged_master", way);
  }
  way = chosen;
  way.dtype = "bfloat16";
  add("--dtype bfloat16", way);
  add("all of these", {"bfloat16", "layers", "paged_adamw_8bit", 1, cuda, chosen.freeze});
  return all;
}

std::string ways_table(const ModelConfig& config, const StepSizes& sizes, const StepWay& chosen,
                       const MemoryPlan& plan, std::size_t limit) {
  std::string text = fmt::format("\nWhat each option changes alone:\n  {:<34}{:>12}{:>12}\n", "",
                                 "total", "saves");
  const auto line = [&](const std::string& flags, std::size_t total) {
    const std::string saved = total < plan.total() ? readable_bytes(plan.total() - total) : "-";
    text += fmt::format("  {:<34}{:>12}{:>12}  {}\n", flags, readable_bytes(total), saved,
                        total <= limit ? "fits" : "");
  };
  line("as above", plan.total());
  for (const auto& [flags, way] : other_ways(chosen, sizes.cuda)) {
    line(flags, plan_step(config, sizes, way).total());
  }
  return text;
}

ordered_json ways_json(const ModelConfig& config, const StepSizes& sizes, const StepWay& chosen,
                       const MemoryPlan& plan, std::size_t limit) {
  ordered_json ways = ordered_json::array({to_json(chosen, plan, limit)});
  for (const auto& [flags, way] : other_ways(chosen, sizes.cuda)) {
    ways.push_back(to_json(way, plan_step(config, sizes, way), limit));
  }
  return ways;
}

}  // namespace lmpo
