#include "validate/output_folder.h"

#include <unistd.h>

#include "base/error.h"
#include "train/checkpoints.h"

namespace lmpo {
namespace {

bool is_same(const fs::path& a, const fs::path& b) {
  std::error_code error;
  return fs::equivalent(a, b, error);
}

// An earlier run is neither mixed with this one nor deleted unasked.
void require_own_folder(const TrainRecipe& recipe) {
  if (is_same(recipe.output_dir, recipe.model_name_or_path)) {
    user_error("--output_dir {} is the model's own folder: use another one",
               recipe.output_dir.string());
  }
  if (!recipe.resume_from_checkpoint.empty()) {
    return;
  }
  if (recipe.overwrite_output_dir &&
      is_same(recipe.output_dir, fs::weakly_canonical(recipe.model_name_or_path).parent_path())) {
    user_error(
        "--overwrite_output_dir would delete the model {} in --output_dir {}: use another "
        "folder",
        recipe.model_name_or_path.string(), recipe.output_dir.string());
  }
  if (!recipe.overwrite_output_dir && !fs::is_empty(recipe.output_dir)) {
    const bool has_run = !list_checkpoints(recipe.output_dir).empty();
    user_error("--output_dir {}: the folder is not empty{}", recipe.output_dir.string(),
               has_run ? ". Resume its run with --resume_from_checkpoint, or replace it with "
                         "--overwrite_output_dir"
                       : " and has no checkpoint to resume from. Use another folder, or replace "
                         "this one with --overwrite_output_dir");
  }
}

}  // namespace

fs::path existing_parent(const fs::path& folder) {
  fs::path existing = fs::absolute(folder).lexically_normal();
  std::error_code error;
  while (!fs::exists(existing, error) && existing.has_relative_path()) {
    existing = existing.parent_path();
  }
  return existing;
}

void require_output_folder(const TrainRecipe& recipe) {
  const fs::path existing = existing_parent(recipe.output_dir);
  if (!fs::is_directory(existing)) {
    user_error("--output_dir {}: {} is a file; a folder was expected", recipe.output_dir.string(),
               existing.string());
  }
  if (::access(existing.c_str(), W_OK) != 0) {
    user_error("--output_dir {}: cannot write to {}: use another folder, or change its permissions",
               recipe.output_dir.string(), existing.string());
  }
  if (fs::exists(recipe.output_dir)) {
    require_own_folder(recipe);
  }
}

}  // namespace lmpo
