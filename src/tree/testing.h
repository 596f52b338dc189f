// Changing token ids, which are immutable in the program. For tests only.
#pragma once

#include <vector>

#include "tree/tokens.h"

namespace lmpo::testing {

// Puts what change(ids) makes of a copy in their place.
template <typename Change>
void edit(Tokens& tokens, const Change& change) {
  std::vector<std::int32_t> ids(tokens.begin(), tokens.end());
  change(ids);
  tokens = std::move(ids);
}

inline void set_token(Tokens& tokens, std::size_t index, std::int32_t id) {
  edit(tokens, [&](auto& ids) { ids.at(index) = id; });
}

}  // namespace lmpo::testing
