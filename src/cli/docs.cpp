// lmpo docs: the generated parts of docs/, so that they cannot drift from the code.
#include "base/error.h"
#include "cli/commands.h"
#include "objective/registry.h"
#include "recipe/train_recipe.h"

namespace lmpo {

int run_docs(const std::vector<std::string>& arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "options") {
    TrainRecipe recipe;
    OptionSet set("lmpo train", "");
    add_train_options(set, recipe);
    recipe.objective_options = find_objective(recipe.objective).defaults;
    fmt::print("{}", set.markdown());
  } else if (what == "objectives") {
    fmt::print("{}", objectives_markdown());
  } else {
    user_error("lmpo docs options | objectives");
  }
  return 0;
}

}  // namespace lmpo
