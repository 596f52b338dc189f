#include "objective/registry.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/names.h"

namespace lmpo {

// Each is defined in the file of its name.
#define LMPO_OBJECTIVES(_) \
  _(sft)                   \
  _(dpo)                   \
  _(ipo)                   \
  _(hinge)                 \
  _(slic)                  \
  _(cpo)                   \
  _(kto)                   \
  _(orpo)                  \
  _(simpo)                 \
  _(rdpo)                  \
  _(simper)                \
  _(pro)                   \
  _(rrhf)                  \
  _(lmpo)

#define LMPO_DECLARE(name) ObjectiveInfo name##_objective();
LMPO_OBJECTIVES(LMPO_DECLARE)
#undef LMPO_DECLARE

bool ObjectiveInfo::uses(std::string_view option) const {
  return std::ranges::find(options, option) != options.end();
}

std::span<const ObjectiveInfo> objectives() {
#define LMPO_LIST(name) name##_objective(),
  static const std::vector<ObjectiveInfo> table = {LMPO_OBJECTIVES(LMPO_LIST)};
#undef LMPO_LIST
  return table;
}

const ObjectiveInfo& find_objective(std::string_view name) {
  std::vector<std::string> names;
  for (const ObjectiveInfo& info : objectives()) {
    if (info.name == name) {
      return info;
    }
    names.emplace_back(info.name);
  }
  user_error("there is no objective '{}'{}; known: {}", name, suggestion(name, names),
             fmt::join(names, ", "));
}

}  // namespace lmpo
