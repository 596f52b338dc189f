// Defaults of a recipe that depend on its other options.
#pragma once

#include "recipe/train_recipe.h"

namespace lmpo {

// Chooses the objective where none is given (objective_choice.h), and sets what depends on it and on
// the length of the run. Called by OptionSet::adjust_defaults.
void adjust_recipe(OptionSet& options, TrainRecipe& recipe);

}  // namespace lmpo
