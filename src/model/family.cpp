#include "model/family.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/names.h"

namespace lmpo {

// Each is defined in the file of its name in families/.
#define LMPO_FAMILIES(_) \
  _(llama)               \
  _(mistral)

#define LMPO_DECLARE(name) Family name##_family();
LMPO_FAMILIES(LMPO_DECLARE)
#undef LMPO_DECLARE

std::span<const Family> families() {
#define LMPO_LIST(name) name##_family(),
  static const std::vector<Family> table = {LMPO_FAMILIES(LMPO_LIST)};
#undef LMPO_LIST
  return table;
}

const Family& find_family(std::string_view model_type, std::string_view place) {
  const auto found = std::ranges::find(families(), model_type, &Family::model_type);
  if (found == families().end()) {
    user_error("{}: '{}' is not supported; {} are", place, model_type, family_names());
  }
  return *found;
}

std::string family_names() {
  std::string names;
  for (const Family& family : families()) {
    names += names.empty() ? "" : &family == &families().back() ? " and " : ", ";
    names += family.model_type;
  }
  return names;
}

}  // namespace lmpo
