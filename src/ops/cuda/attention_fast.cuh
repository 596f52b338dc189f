// What the tensor cores' attention kernels share. A block is four warps, each with 16 rows of the
// 64 that the block computes; what it goes through comes in tiles, the next copied while one is
// used.
#pragma once

#include "ops/cuda/device_code.cuh"
#include "ops/cuda/tensor_core.cuh"

namespace lmpo::cuda {

constexpr int kAttentionThreads = 128;
constexpr int kWarpRows = 16;
constexpr int kBlockRows = kAttentionBlock;
static_assert(kBlockRows == kAttentionThreads / 32 * kWarpRows);
constexpr float kLog2E = 1.44269504088896340736F;

// Where heads lie in qkv and in tensors like it.
__device__ inline std::int64_t row_stride(const AttentionInput& in) {
  return std::int64_t{in.query_heads + 2 * in.key_heads} * in.head_size;
}
__device__ inline std::int64_t key_column(const AttentionInput& in, int key_head) {
  return std::int64_t{in.query_heads + key_head} * in.head_size;
}
__device__ inline std::int64_t value_column(const AttentionInput& in, int key_head) {
  return std::int64_t{in.query_heads + in.key_heads + key_head} * in.head_size;
}

// The rows of a block of queries: its queries under one head, below them those under the next.
struct QueryRows {
  int first_head;
  int begin;
  int count;
  int of_head;

  // `head` numbers the blocks of heads: every key head's, or every head.
  __device__ QueryRows(const AttentionInput& in, const QueryBlock& block, int head)
      : first_head(head * (kBlockRows / in.queries_in_block)),
        begin(block.begin),
        count(block.count),
        of_head(in.queries_in_block) {}

  __device__ bool has(int row) const { return row % of_head < count; }
  __device__ int query(int row) const { return begin + row % of_head; }
  __device__ int head(int row) const { return first_head + row / of_head; }
};
// Blocks of heads in a grid.
inline unsigned head_blocks(const AttentionInput& in) {
  return static_cast<unsigned>(in.query_heads / (kAttentionBlock / in.queries_in_block));
}

// The keys that a block of queries goes through: its context's in tiles of 64, then its own
// segment's up to itself.
struct KeyTiles {
  QueryBlock block;
  int of_context;
  int count;

  __device__ explicit KeyTiles(const QueryBlock& queries)
      : block(queries),
        of_context((queries.context_end - queries.context_begin + kBlockRows - 1) / kBlockRows),
        count(of_context +
              (queries.begin + queries.count - queries.own_begin + kBlockRows - 1) / kBlockRows) {}

  __device__ bool is_context(int tile) const { return tile < of_context; }
  __device__ int begin(int tile) const {
    return is_context(tile) ? block.context_begin + tile * kBlockRows
                            : block.own_begin + (tile - of_context) * kBlockRows;
  }
  __device__ int end(int tile) const {
    return min(begin(tile) + kBlockRows,
               is_context(tile) ? block.context_end : block.begin + block.count);
  }
  // Positions rise from tile to tile, so the window hides the first ones from all queries.
  __device__ int first(const std::int32_t* positions, int window) const {
    int tile = 0;
    if (window > 0) {
      while (positions[end(tile) - 1] <= positions[block.begin] - window) {
        ++tile;
      }
    }
    return tile;
  }
  // Whether some query does not see some key of the tile.
  __device__ bool needs_mask(int tile, int window) const {
    return window > 0 || end(tile) - begin(tile) < kBlockRows ||
           (!is_context(tile) && end(tile) > block.begin + 1);
  }
  // The keys that a query sees of a tile: those from `first` on and before `last`.
  struct Visible {
    int first;
    int last;
  };
  __device__ Visible visible(int tile, int query, const std::int32_t* positions, int window) const {
    const int tile_end = end(tile);
    Visible keys{begin(tile), is_context(tile) ? tile_end : min(tile_end, query + 1)};
    if (window > 0) {
      // Within a tile positions are consecutive.
      keys.first += max(0, positions[query] - window + 1 - positions[keys.first]);
    }
    return keys;
  }
};

// A tile of keys and one of values in shared memory.
template <int E>
struct KeyStage {
  SharedTile<E> keys;
  SharedTile<E> values;

  __device__ KeyStage(std::uint32_t shared, int index)
      : keys{shared + index * 2 * kBlockRows * E * 2}, values{keys.address + kBlockRows * E * 2} {}
};

// Brings a block's keys and values through two stages of shared memory.
template <int E>
class KeyPipeline {
 public:
  static constexpr std::size_t kSharedBytes = std::size_t{4} * kBlockRows * E * 2;

  __device__ KeyPipeline(const AttentionInput& in, const QueryBlock& block, int key_head,
                         std::uint32_t shared)
      : in_(in),
        tiles_(block),
        key_head_(key_head),
        shared_(shared),
        first_(tiles_.first(in.positions, in.window)) {}

  __device__ const KeyTiles& tiles() const { return tiles_; }
  // Free until run: a place for what is on its way to registers.
  __device__ KeyStage<E> second_stage() const { return KeyStage<E>(shared_, 1); }
  // Begins to copy the first tile; run waits for it.
  __device__ void start() const { start_tile(first_, KeyStage<E>(shared_, 0)); }
  // body(tile, its stage) for every tile.
  template <typename Body>
  __device__ void run(const Body& body) const {
    for (int tile = first_; tile < tiles_.count; ++tile) {
      const int parity = (tile - first_) % 2;
      if (tile + 1 < tiles_.count) {
        start_tile(tile + 1, KeyStage<E>(shared_, 1 - parity));
        wait_for_copies<1>();
      } else {
        wait_for_copies<0>();
      }
      __syncthreads();
      body(tile, KeyStage<E>(shared_, parity));
      __syncthreads();
    }
  }

 private:
  __device__ void start_tile(int tile, const KeyStage<E>& stage) const {
    const std::int64_t stride = row_stride(in_);
    const auto* rows =
        static_cast<const __nv_bfloat16*>(in_.qkv.data) + tiles_.begin(tile) * stride;
    const int count = tiles_.end(tile) - tiles_.begin(tile);
    stage.keys.template start_copy<kBlockRows, kAttentionThreads>(rows + key_column(in_, key_head_),
                                                                  stride, count);
    stage.values.template start_copy<kBlockRows, kAttentionThreads>(
        rows + value_column(in_, key_head_), stride, count);
    end_copy_group();
  }

  const AttentionInput& in_;
  KeyTiles tiles_;
  int key_head_;
  std::uint32_t shared_;
  int first_;
};

// Offsets of the rows of a block of queries, below 0 for those that are not there: in qkv, and in
// tensors of the query heads alone.
template <int E>
struct QueryOffsets {
  QueryRows rows;
  std::int64_t stride;

  __device__ std::int64_t operator()(int row) const {
    return rows.has(row) ? rows.query(row) * stride + rows.head(row) * E : std::int64_t{-1};
  }
};

// c[n] += a row-block of 16 rows times the transposes of the tile's rows [row, row + 8 count).
template <int E, int count>
__device__ inline void multiply_by_rows(FragmentC (&c)[count], const FragmentA (&a)[E / 16],
                                        const SharedTile<E>& tile,
                                        const typename SharedTile<E>::LanePlaces& lane, int row) {
#pragma unroll
  for (int k = 0; k < E / 16; ++k) {
#pragma unroll
    for (int n = 0; n < count; n += 2) {
      FragmentB b[2];
      tile.load_b_transposed(b, lane, row + n * 8, k * 16);
      multiply_add(c[n], a[k], b[0]);
      multiply_add(c[n + 1], a[k], b[1]);
    }
  }
}

// c += a[16, 16] times the tile's rows [row, row + 16).
template <int E>
__device__ inline void multiply_by_tile(FragmentC (&c)[E / 8], const FragmentA& a,
                                        const SharedTile<E>& tile,
                                        const typename SharedTile<E>::LanePlaces& lane, int row) {
#pragma unroll
  for (int n = 0; n < E / 8; n += 2) {
    FragmentB b[2];
    tile.load_b(b, lane, row, n * 8);
    multiply_add(c[n], a, b[0]);
    multiply_add(c[n + 1], a, b[1]);
  }
}

// c times the row's factor to out + offset_of(row) for the rows of this lane, unless that is below
// 0.
template <int E, typename Offset>
__device__ inline void store_rows(__nv_bfloat16* out, const FragmentC (&c)[E / 8],
                                  const float (&factors)[2], int warp_row,
                                  const Offset& offset_of) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const std::int64_t offset = offset_of(warp_row + lane / 4 + half * 8);
    if (offset < 0) {
      continue;
    }
#pragma unroll
    for (int n = 0; n < E / 8; ++n) {
      *reinterpret_cast<std::uint32_t*>(out + offset + n * 8 + lane % 4 * 2) =
          pack_bf16(c[n].x[2 * half] * factors[half], c[n].x[2 * half + 1] * factors[half]);
    }
  }
}

}  // namespace lmpo::cuda
