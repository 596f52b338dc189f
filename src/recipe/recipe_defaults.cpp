#include "recipe/recipe_defaults.h"

#include <algorithm>

#include "objective/registry.h"
#include "recipe/objective_choice.h"

namespace lmpo {
namespace {

void set_objective_defaults(OptionSet& options, TrainRecipe& recipe) {
  const ObjectiveInfo& objective = find_objective(recipe.objective);
  recipe.objective_options = objective.defaults;
  if (recipe.is_sft()) {
    recipe.learning_rate = 2e-5;
  }
  if (objective.published.schedule_is_default) {
    recipe.num_train_epochs = 1;
    recipe.lr_scheduler_type = TrainRecipe::Scheduler::cosine;
    recipe.warmup_ratio = options.given("warmup_steps") ? 0 : 0.1;
  }
  recipe.evaluates =
      !options.given("eval_strategy") || recipe.eval_strategy != TrainRecipe::Strategy::no;
  // TRL's SimPO is a loss of its CPO trainer, and so is the weight of its NLL.
  if (recipe.objective == "simpo" && options.given("cpo_alpha") && !options.given("sft_weight")) {
    options.pass_on("cpo_alpha", "sft_weight");
  }
}

// evals_per_epoch and saves_per_epoch as parts of the run.
void space_by_epochs(const OptionSet& options, TrainRecipe& r) {
  const auto part = [&](double per_epoch) {
    constexpr double kWhole = 0.999999;  // 1 would be a step
    return std::min(kWhole, 1 / (per_epoch * r.num_train_epochs));
  };
  if (r.saves_per_epoch.value_or(0) > 0) {
    r.save_steps = part(*r.saves_per_epoch);
  }
  const bool has_data = r.test_split_size > 0 || options.given("eval_dataset");
  if (r.evals_per_epoch.value_or(0) > 0 && has_data) {
    r.eval_strategy = TrainRecipe::Strategy::steps;
    r.eval_steps = part(*r.evals_per_epoch);
  }
}

}  // namespace

void adjust_recipe(OptionSet& options, TrainRecipe& recipe) {
  choose_objective(options, recipe);
  set_objective_defaults(options, recipe);
  space_by_epochs(options, recipe);
}

}  // namespace lmpo
