#include "data/packer.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>
#include <utility>

#include "base/error.h"

namespace lmpo {
namespace {

std::vector<PackIndices> cut_in_order(std::size_t trees, std::size_t micro_batch) {
  std::vector<PackIndices> packs;
  for (std::size_t index = 0; index < trees; ++index) {
    if (packs.empty() || packs.back().size() == micro_batch) {
      packs.emplace_back();
    }
    packs.back().push_back(index);
  }
  return packs;
}

std::vector<PackIndices> fit_best(std::span<const std::int64_t> sizes, std::size_t micro_batch,
                                  std::int64_t max_tokens) {
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t index) { return sizes[index]; });
  std::vector<PackIndices> packs;
  // Packs that are not full, by their free tokens.
  std::set<std::pair<std::int64_t, std::size_t>> open;
  for (const std::size_t index : order) {
    auto place = open.lower_bound({sizes[index], 0});
    if (place == open.end()) {
      place = open.emplace(std::max(max_tokens, sizes[index]), packs.size()).first;
      packs.emplace_back();
    }
    const auto [room, pack] = *place;
    open.erase(place);
    packs[pack].push_back(index);
    if (packs[pack].size() < micro_batch) {
      open.emplace(room - sizes[index], pack);
    }
  }
  for (PackIndices& pack : packs) {
    std::ranges::sort(pack);
  }
  std::ranges::sort(packs);  // by their first trees, which differ
  return packs;
}

}  // namespace

std::vector<PackIndices> cut_into_packs(std::span<const Tree* const> batch,
                                        std::int64_t micro_batch, std::int64_t max_tokens) {
  std::vector<std::int64_t> sizes(batch.size());
  if (max_tokens > 0) {
    std::ranges::transform(batch, sizes.begin(), &Tree::input_tokens);
  }
  return cut_into_packs(sizes, micro_batch, max_tokens);
}

std::vector<PackIndices> cut_into_packs(std::span<const std::int64_t> sizes,
                                        std::int64_t micro_batch, std::int64_t max_tokens) {
  LMPO_CHECK(micro_batch >= 1);
  const auto most = static_cast<std::size_t>(micro_batch);
  return max_tokens > 0 ? fit_best(sizes, most, max_tokens) : cut_in_order(sizes.size(), most);
}

}  // namespace lmpo
