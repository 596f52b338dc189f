// The date that a chat template writes: tokens must not depend on the day of a start.
#pragma once

#include <ctime>
#include <string>

#include "recipe/train_recipe.h"

namespace lmpo {

// YYYY-MM-DD: that of the recipe, else the one of the run that is resumed, else today.
std::string template_date(const TrainRecipe& recipe);
// Noon of such a day. UserError where it is none.
std::time_t time_of_date(const std::string& date);
// Whether the run's chat template asks for the date.
bool template_writes_date(const TrainRecipe& recipe);

}  // namespace lmpo
