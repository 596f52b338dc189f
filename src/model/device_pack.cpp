#include "model/device_pack.h"

#include <algorithm>
#include <vector>

namespace lmpo {
namespace {

// Of each tree the tokens of its longest sequence.
std::vector<std::int64_t> tree_lengths(const Pack& pack, std::int64_t unread) {
  std::vector<std::int64_t> lengths(pack.tree_response.size(), 0);
  for (std::size_t s = 0; s < pack.segments.size(); ++s) {
    const auto last = static_cast<std::size_t>(pack.segments[s].end - 1);
    std::int64_t& length = lengths[static_cast<std::size_t>(pack.segment_tree[s])];
    length = std::max(length, pack.positions[last] + 1 + unread);
  }
  return lengths;
}

std::vector<std::int32_t> rotary_rows(const Pack& pack, const Rotary& rotary, std::int64_t unread) {
  const std::vector<std::int64_t> lengths = tree_lengths(pack, unread);
  std::vector<std::int32_t> rows = pack.positions;
  for (std::size_t s = 0; s < pack.segments.size(); ++s) {
    const std::int64_t length = lengths[static_cast<std::size_t>(pack.segment_tree[s])];
    for (auto t = static_cast<std::size_t>(pack.segments[s].begin);
         t < static_cast<std::size_t>(pack.segments[s].end); ++t) {
      rows[t] = rotary.row(rows[t], length);
    }
  }
  return rows;
}

}  // namespace

DevicePack upload_pack(const Pack& pack, const Rotary& rotary, std::int64_t unread, Ops& ops,
                       Arena& arena) {
  const auto upload = [&](std::span<const std::int32_t> indices) {
    return upload_indices(indices, ops, arena);
  };
  const Tensor tokens = upload(pack.tokens);
  const Tensor positions = upload(pack.positions);
  return {.pack = pack,
          .tokens = tokens,
          .positions = positions,
          .rotary_rows =
              rotary.longest_short() > 0 ? upload(rotary_rows(pack, rotary, unread)) : positions,
          .head_rows = upload(pack.head_rows),
          .target_row = upload(pack.target_row),
          .target_token = upload(pack.target_token)};
}

Tensor upload_indices(std::span<const std::int32_t> indices, Ops& ops, Arena& arena) {
  const Tensor result =
      arena.allocate("indices", Dtype::i32, {static_cast<std::int64_t>(indices.size())});
  ops.upload(result, indices.data());
  return result;
}

}  // namespace lmpo
