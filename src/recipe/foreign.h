// Keys of other trainers' recipes that mean nothing here. They are accepted in a YAML file with a
// notice, so that published recipes run as they are, and refused where ignoring them would train
// something else than was asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmpo {

struct ForeignKey {
  std::string_view name;
  std::string_view reason;
  std::vector<std::string_view> allowed;  // the only harmless values; empty: any

  bool allows(std::string_view text) const;
};

// Null where the key is not one of them.
const ForeignKey* find_foreign_key(std::string_view name);

}  // namespace lmpo
