// Any bytes as a recipe in YAML: refused with a UserError, or settings whose record can be written.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "recipe/train_recipe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lmpo::TrainRecipe recipe;
  lmpo::OptionSet options("lmpo train", "");
  lmpo::add_train_options(options, recipe);
  options.accept_config_file();
  try {
    options.read_yaml({reinterpret_cast<const char*>(data), size}, "recipe.yaml");
    options.resolve();
    LMPO_CHECK(!options.record().dump().empty());
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
