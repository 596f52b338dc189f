// Whether a run can have the output folder that it asks for.
#pragma once

#include "recipe/train_recipe.h"

namespace lmpo {

// UserError where something is there that the run would mix with or lose without being asked, and
// where the folder cannot be made or written. Changes nothing.
void require_output_folder(const TrainRecipe& recipe);

// The folder, or the nearest one above it that is there.
fs::path existing_parent(const fs::path& folder);

}  // namespace lmpo
