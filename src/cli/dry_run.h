// A run that only tells what it would be.
#pragma once

#include "recipe/option_set.h"
#include "train/trainer.h"

namespace lmpo {

// Prints every setting with where it came from, the plan's memory and, unless the recipe says
// otherwise, how long the run will take, as measured on a few of its rows. Prepares the trees of
// the inputs as training does.
void show_dry_run(TrainInputs& inputs, const OptionSet& options);

}  // namespace lmpo
