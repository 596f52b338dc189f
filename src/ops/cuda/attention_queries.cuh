// The queries that see a block of keys, tile by tile.
#pragma once

#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {

// A tile of queries of one run, and one head of the keys' group.
struct QueryTile {
  int run;
  int begin;
  int head;
  QueryRun of;  // the run, kept while tiles are of it
};

// The queries that a block of keys goes through: for each run, tile by tile, every head.
template <int tile_rows>
class QueryTiles {
 public:
  __device__ QueryTiles(const AttentionInput& in, const KeyBlock& keys)
      : in_(in), block_(keys), group_(in.query_heads / in.key_heads) {}

  __device__ QueryTile first() const { return visible(entered(block_.first_run)); }
  __device__ QueryTile after(QueryTile tile) const {
    if (++tile.head < group_) {
      return tile;
    }
    tile.head = 0;
    tile.begin += tile_rows;
    return visible(tile.begin < tile.of.end ? tile : entered(tile.run + 1));
  }
  __device__ int count(const QueryTile& tile) const {
    return min(tile_rows, tile.of.end - tile.begin);
  }
  __device__ bool is_end(const QueryTile& tile) const { return tile.run == block_.last_run; }
  __device__ int head(const QueryTile& tile, int key_head) const {
    return key_head * group_ + tile.head;
  }
  // Whether some of so many queries from `begin` on does not see some key.
  __device__ bool needs_mask(const QueryTile& tile, int begin, int queries) const {
    const int end_of_keys = block_.begin + block_.count;
    const bool all_in_context =
        block_.begin >= tile.of.context_begin && end_of_keys <= tile.of.context_end;
    const bool all_before = block_.begin >= tile.of.own_begin && end_of_keys <= begin + 1;
    return in_.window > 0 || tile.of.end - begin < queries || !(all_in_context || all_before);
  }
  __device__ bool sees(const QueryTile& tile, int query, int key) const {
    const bool in_context = key >= tile.of.context_begin && key < tile.of.context_end;
    return query < tile.of.end && key < block_.begin + block_.count &&
           (in_context || (key >= tile.of.own_begin && key <= query)) &&
           (in_.window == 0 || in_.positions[key] > in_.positions[query] - in_.window);
  }

 private:
  __device__ QueryTile entered(int run) const {
    if (run == block_.last_run) {
      return {run, 0, 0, {}};
    }
    const QueryRun of = in_.runs[run];
    return {run, of.begin, 0, of};
  }
  // Positions rise along a run: beyond the window of the last key no query of it sees any.
  __device__ QueryTile visible(QueryTile tile) const {
    while (in_.window > 0 && !is_end(tile) &&
           in_.positions[tile.begin] - in_.window >=
               in_.positions[block_.begin + block_.count - 1]) {
      tile = entered(tile.run + 1);
    }
    return tile;
  }

  const AttentionInput& in_;
  const KeyBlock& block_;
  int group_;
};

}  // namespace lmpo::cuda
