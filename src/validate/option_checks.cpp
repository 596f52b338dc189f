// Checks of options that have no effect beside others, or that are better given.
#include <fmt/format.h>

#include "validate/checks.h"

namespace lmpo {
namespace {

// An option that has no effect because of another setting.
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
       "set eval_strategy: steps, or remove it"},
      {"save_steps", r.save_strategy != Strategy::steps, "save_strategy is not 'steps'",
       "set save_strategy: steps, or remove it"},
      {"save_total_limit", r.save_strategy == Strategy::no, "no checkpoints are written",
       "set a save_strategy, or remove it"},
      {"num_train_epochs", r.max_steps > 0, "max_steps sets the length of the run",
       "remove one of the two"},
      {"warmup_ratio", r.warmup_steps > 0, "warmup_steps sets the length of the warm-up",
       "remove one of the two"},
      {"warmup_ratio", constant, "the schedule 'constant' has no warm-up",
       "use constant_with_warmup, or remove it"},
      {"warmup_steps", constant, "the schedule 'constant' has no warm-up",
       "use constant_with_warmup, or remove it"},
      {"data_seed",
       r.train_sampling_strategy == TrainRecipe::Sampling::sequential && r.test_split_size == 0,
       "the rows keep the order of the files", "remove it"},
      {"sft_on", !r.is_sft(), "only the objective sft trains on whole conversations", "remove it"},
      {"auto_insert_empty_system_msg", r.data.boundary == Boundary::trl,
       "the boundary is not simpo", "set boundary: simpo, or remove it"},
      {"zscore_group", lmpo && o.zscore != ZscoreMode::code, "zscore is not 'code'",
       "set zscore: code, or remove it"},
      {"ema_decay", lmpo && !averages, "zscore is neither 'ema' nor 'code'", "remove it"},
      {"margin_alpha", lmpo && o.margin != Margin::log, "the margin is not 'log'",
       "set margin: log, or remove it"},
      {"margin_beta", lmpo && o.margin != Margin::sigmoid, "the margin is not 'sigmoid'",
       "set margin: sigmoid, or remove it"},
  };
}

}  // namespace

void check_objective_named(const RunFacts& facts, Findings& findings) {
  if (facts.places.recipe_file && !facts.places.given("objective")) {
    findings.note("objective_not_named", *facts.places.recipe_file,
                  fmt::format("no objective is given, so lmpo trains {}", facts.recipe.objective),
                  "for another objective, give its name: --objective simpo, dpo, ...");
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
                         fmt::format("{} uses no reference model", recipe.objective),
                         "remove it, or choose an objective that uses one: dpo, ipo, kto, rdpo");
      }
    }
    return;
  }
  findings.note("reference", facts.where("ref_model_name_or_path"),
                fmt::format("{} uses a reference model: {}. It scores all rows once, before the "
                            "first step",
                            recipe.objective,
                            named ? recipe.reference_model.string() : "the model before training"),
                "reference_cache keeps its scores for later runs on the same data");
}

}  // namespace lmpo
