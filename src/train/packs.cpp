#include "train/packs.h"

#include "data/packer.h"

namespace lmpo {

TreePacks packs_of(std::span<const Tree* const> batch, const PackLimits& limits) {
  TreePacks packs;
  for (const PackIndices& indices : cut_into_packs(batch, limits.max_trees, limits.max_tokens)) {
    packs.emplace_back();
    for (const std::size_t index : indices) {
      packs.back().push_back(batch[index]);
    }
  }
  return packs;
}

}  // namespace lmpo
