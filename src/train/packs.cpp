#include "train/packs.h"

#include <algorithm>

namespace lmpo {
namespace {

// Adds the pack, or its halves where it is larger than planned.
void add_planned(std::vector<PackIndices>& packs, const PackIndices& pack,
                 std::span<const PackSize> sizes, std::span<const PackSize> planned) {
  PackSize size;
  for (const std::size_t index : pack) {
    size.add(sizes[index]);
  }
  if (pack.size() == 1 ||
      std::ranges::any_of(planned, [&](const PackSize& kept) { return kept.covers(size); })) {
    packs.push_back(pack);
    return;
  }
  const auto middle = pack.begin() + std::ssize(pack) / 2;
  add_planned(packs, PackIndices(pack.begin(), middle), sizes, planned);
  add_planned(packs, PackIndices(middle, pack.end()), sizes, planned);
}

// The number of places that the runs cover together.
std::int64_t covered(std::vector<TokenRun> runs) {
  std::ranges::sort(runs, {}, &TokenRun::begin);
  std::int64_t count = 0;
  std::int32_t end = 0;
  for (const TokenRun& run : runs) {
    count += std::max(0, run.end - std::max(run.begin, end));
    end = std::max(end, run.end);
  }
  return count;
}

}  // namespace

void PackSize::add(const PackSize& other) {
  tokens += other.tokens;
  rows += other.rows;
  targets += other.targets;
}

bool PackSize::covers(const PackSize& other) const {
  return tokens >= other.tokens && rows >= other.rows && targets >= other.targets;
}

Trees pointers(std::span<const Tree> trees) {
  Trees result;
  for (const Tree& tree : trees) {
    result.push_back(&tree);
  }
  return result;
}

Trees at_indices(std::span<const Tree* const> batch, const PackIndices& indices) {
  Trees result;
  for (const std::size_t index : indices) {
    result.push_back(batch[index]);
  }
  return result;
}

std::int64_t longest_sequence(std::span<const Tree* const> trees) {
  std::int64_t longest = 1;
  for (const Tree* tree : trees) {
    for (const Sequence& sequence : tree->sequences) {
      longest = std::max<std::int64_t>(longest, std::ssize(sequence.tokens));
    }
  }
  return longest;
}

PackSize size_of(const Tree& tree) {
  // Predicting inputs begin one before the first scored token. Sequences share those in the trunk.
  const std::int32_t trunk = tree.trunk_length();
  PackSize size{.tokens = trunk};
  std::vector<TokenRun> in_trunk;
  for (const Sequence& sequence : tree.sequences) {
    size.tokens += std::ssize(sequence.tokens) - 1 - trunk;
    size.targets += sequence.scored_tokens();
    for (const TokenRun& run : sequence.scored_runs()) {
      const TokenRun inputs{run.begin - 1, run.end - 1};
      size.rows += std::max(inputs.end, trunk) - std::max(inputs.begin, trunk);
      if (inputs.begin < trunk) {
        in_trunk.push_back({inputs.begin, std::min(inputs.end, trunk)});
      }
    }
  }
  size.rows += covered(std::move(in_trunk));
  return size;
}

std::vector<PackIndices> cut_batch(std::span<const Tree* const> batch, const PackLimits& limits) {
  std::vector<PackIndices> packs = cut_into_packs(batch, limits.micro_batch, limits.max_tokens);
  if (limits.planned.empty()) {
    return packs;
  }
  std::vector<PackSize> sizes;
  for (const Tree* tree : batch) {
    sizes.push_back(size_of(*tree));
  }
  std::vector<PackIndices> cut;
  for (const PackIndices& pack : packs) {
    add_planned(cut, pack, sizes, limits.planned);
  }
  return cut;
}

std::vector<Trees> packs_of(std::span<const Tree* const> batch, const PackLimits& limits) {
  std::vector<Trees> packs;
  for (const PackIndices& indices : cut_batch(batch, limits)) {
    packs.push_back(at_indices(batch, indices));
  }
  return packs;
}

}  // namespace lmpo
