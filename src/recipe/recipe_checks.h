// What is checked of a recipe's options together, and what their values stand for.
#pragma once

#include "recipe/train_recipe.h"

namespace lmpo {

// Both must outlive the reading of the options.
void add_recipe_checks(OptionSet& options, TrainRecipe& recipe);

}  // namespace lmpo
