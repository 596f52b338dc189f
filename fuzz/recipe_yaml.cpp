// Any bytes as a recipe in YAML: refused with a UserError, or settings that are valid and whose
// record can be written.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "recipe/train_recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lmpo::TrainRecipe recipe;
  lmpo::OptionSet options("lmpo train", "");
  if (size > 0 && data[0] == '#') {
    options.collect_mistakes();
  }
  lmpo::add_train_options(options, recipe);
  options.accept_config_file();
  try {
    options.read_yaml({reinterpret_cast<const char*>(data), size}, "recipe.yaml");
    options.resolve();
    LMPO_CHECK(!options.record().dump().empty());
    LMPO_CHECK(recipe.train_batch_size() > 0 && recipe.max_shard_size.count > 0);
    for (const double steps : {recipe.logging_steps, recipe.save_steps}) {
      LMPO_CHECK(lmpo::absolute_steps(steps, 1000) > 0);
    }
    LMPO_CHECK(lmpo::absolute_steps(recipe.warmup_steps, 1000) >= 0);
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
