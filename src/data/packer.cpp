#include "data/packer.h"

#include "base/error.h"

namespace lmpo {

std::vector<PackRange> cut_into_packs(std::span<const Tree* const> batch, std::int64_t max_trees,
                                      std::int64_t max_tokens) {
  LMPO_CHECK(max_trees >= 1);
  std::vector<PackRange> packs;
  std::int64_t tokens = 0;
  for (std::int64_t index = 0; index < static_cast<std::int64_t>(batch.size()); ++index) {
    const std::int64_t more = batch[static_cast<std::size_t>(index)]->input_tokens();
    const bool fits = !packs.empty() && index - packs.back().begin < max_trees &&
                      (max_tokens <= 0 || tokens + more <= max_tokens);
    if (!fits) {
      packs.push_back({.begin = index, .end = index});
      tokens = 0;
    }
    packs.back().end = index + 1;
    tokens += more;
  }
  return packs;
}

}  // namespace lmpo
