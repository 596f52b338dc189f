// Checks the output folder of a run.
#pragma once

#include "recipe/train_recipe.h"

namespace lmpo {

// UserError if the run would mix with or delete what is in the folder unasked, or if the folder
// cannot be created or written. Changes nothing.
void require_output_folder(const TrainRecipe& recipe);

// The folder, or the nearest existing one above it.
fs::path existing_parent(const fs::path& folder);

}  // namespace lmpo
