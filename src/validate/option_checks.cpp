// Checks of options that say nothing together with others, or that are better said.
#include <fmt/format.h>

#include "validate/checks.h"

namespace lmpo {
namespace {

// An option that was given while something else makes it say nothing.
struct Silenced {
  const char* option;
  bool silenced;
  const char* because;
  const char* remedy;
};

std::vector<Silenced> silenced(const TrainRecipe& r) {
  using Strategy = TrainRecipe::Strategy;
  const ObjectiveOptions& o = r.objective_options;
  const bool lmpo = r.objective == "lmpo";
  const bool averages = o.zscore == ZscoreMode::ema || o.zscore == ZscoreMode::code;
  const bool constant = r.lr_scheduler_type == TrainRecipe::Scheduler::constant;
  return {
      {"eval_steps", r.eval_strategy != Strategy::steps, "eval_strategy is not 'steps'",
       "set eval_strategy: steps, or leave it out"},
      {"save_steps", r.save_strategy != Strategy::steps, "save_strategy is not 'steps'",
       "set save_strategy: steps, or leave it out"},
      {"save_total_limit", r.save_strategy == Strategy::no, "no checkpoints are written",
       "choose a save_strategy, or leave it out"},
      {"num_train_epochs", r.max_steps > 0, "max_steps says how long the run is",
       "leave one of the two out"},
      {"warmup_ratio", r.warmup_steps > 0, "warmup_steps says how long the warm-up is",
       "leave one of the two out"},
      {"warmup_ratio", constant, "the schedule 'constant' has no warm-up",
       "choose constant_with_warmup, or leave it out"},
      {"warmup_steps", constant, "the schedule 'constant' has no warm-up",
       "choose constant_with_warmup, or leave it out"},
      {"data_seed",
       r.train_sampling_strategy == TrainRecipe::Sampling::sequential && r.test_split_size == 0,
       "the data keeps the order of the files", "leave it out"},
      {"sft_on", !r.is_sft(), "only the objective sft scores a whole conversation", "leave it out"},
      {"auto_insert_empty_system_msg", r.data.boundary == Boundary::trl,
       "the boundary is not simpo", "set boundary: simpo, or leave it out"},
      {"zscore_group", lmpo && o.zscore != ZscoreMode::code, "zscore is not 'code'",
       "set zscore: code, or leave it out"},
      {"ema_decay", lmpo && !averages, "zscore is neither 'ema' nor 'code'", "leave it out"},
      {"margin_alpha", lmpo && o.margin != Margin::log, "the margin is not 'log'",
       "set margin: log, or leave it out"},
      {"margin_beta", lmpo && o.margin != Margin::sigmoid, "the margin is not 'sigmoid'",
       "set margin: sigmoid, or leave it out"},
  };
}

}  // namespace

void check_objective_named(const RunFacts& facts, Findings& findings) {
  if (facts.places.recipe_file && !facts.places.given("objective")) {
    findings.note("objective_not_named", *facts.places.recipe_file,
                  fmt::format("no objective is named: {} is trained", facts.recipe.objective),
                  "if it is meant for another objective, name it: --objective simpo, dpo, ...");
  }
}

void check_options_without_effect(const RunFacts& facts, Findings& findings) {
  for (const Silenced& each : silenced(facts.recipe)) {
    if (each.silenced && facts.places.given(each.option)) {
      findings.warning("option_without_effect", facts.where(each.option),
                       fmt::format("{} has no effect: {}", each.option, each.because), each.remedy);
    }
  }
}

void check_reference(const RunFacts& facts, Findings& findings) {
  const TrainRecipe& recipe = facts.recipe;
  const bool named = !recipe.reference_model.empty();
  if (!facts.needs_reference) {
    return;
  }
  if (!*facts.needs_reference) {
    for (const char* option : {"ref_model_name_or_path", "reference_cache"}) {
      if (facts.places.given(option)) {
        findings.warning("reference_unused", facts.where(option),
                         fmt::format("{} compares with no reference model", recipe.objective),
                         "leave it out, or choose an objective that does: dpo, ipo, kto, rdpo");
      }
    }
    return;
  }
  findings.note(
      "reference", facts.where("ref_model_name_or_path"),
      fmt::format("{} compares with a reference model: {}. All rows are scored by it "
                  "once, before the first step",
                  recipe.objective,
                  named ? recipe.reference_model.string() : "the model as it is before training"),
      "its scores are kept in reference_cache for later runs over the same data");
}

}  // namespace lmpo
