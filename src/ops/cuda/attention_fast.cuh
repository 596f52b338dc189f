// What the tensor cores' attention kernels share. A block is four warps, each with 16 rows of the
// 64 that the block computes; what it goes through comes in tiles, the next copied while one is
// used. Head sizes E are multiples of 16.
#pragma once

#include <type_traits>

#include "ops/cuda/device_code.cuh"
#include "ops/cuda/tensor_core.cuh"

namespace lmpo::cuda {

constexpr int kAttentionThreads = 128;
constexpr int kWarpRows = 16;
constexpr int kBlockRows = kAttentionBlock;
static_assert(kBlockRows == kAttentionThreads / 32 * kWarpRows);
constexpr float kLog2E = 1.44269504088896340736F;

// The sums of a wide head fill the registers of a warp. So the rows that it multiplies stay in shared
// memory, and tiles have half as many rows.
template <int E>
constexpr bool kIsWide = E > 128;
template <int E>
constexpr int kTileRows = kIsWide<E> ? 32 : 64;

// body(integral constant) with the head size, of those that these kernels compute; false for others.
template <typename Body>
bool with_fast_head_size(int size, const Body& body) {
  switch (size) {
    case 64:
      body(std::integral_constant<int, 64>());
      return true;
    case 80:
      body(std::integral_constant<int, 80>());
      return true;
    case 96:
      body(std::integral_constant<int, 96>());
      return true;
    case 128:
      body(std::integral_constant<int, 128>());
      return true;
    case 256:
      body(std::integral_constant<int, 256>());
      return true;
    default:
      return false;
  }
}

// Scores are kept as multiples of a unit: as products q.k, in units of the scale, or where they are
// capped as tanh(q.k scale / softcap), in units of the softcap.
template <bool kCapped>
struct ScoreUnits {
  static constexpr bool kIsCapped = kCapped;

  float unit;
  float to_tanh;  // scale / softcap

  // A unit as a power of two.
  __device__ float exponent() const { return unit * kLog2E; }
  // What is kept of a product, and its derivative by the product in units of the scale.
  __device__ float of(float product) const {
    return kCapped ? fast_tanh(product * to_tanh) : product;
  }
  __device__ float slope(float kept) const { return kCapped ? 1.0F - kept * kept : 1.0F; }
};

// body(its ScoreUnits).
template <typename Body>
void with_score_units(const AttentionInput& in, const Body& body) {
  if (in.softcap == 0.0F) {
    body(ScoreUnits<false>{in.scale, 0.0F});
  } else {
    body(ScoreUnits<true>{in.softcap, in.scale / in.softcap});
  }
}

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

// The keys that a block of queries goes through: its context's in tiles of so many rows, then its
// own segment's up to itself.
template <int tile_rows>
struct KeyTiles {
  QueryBlock block;
  int of_context;
  int count;

  __device__ explicit KeyTiles(const QueryBlock& queries)
      : block(queries),
        of_context(tiles_of(queries.context_end - queries.context_begin)),
        count(of_context + tiles_of(queries.begin + queries.count - queries.own_begin)) {}

  __device__ bool is_context(int tile) const { return tile < of_context; }
  __device__ int begin(int tile) const {
    return is_context(tile) ? block.context_begin + tile * tile_rows
                            : block.own_begin + (tile - of_context) * tile_rows;
  }
  __device__ int end(int tile) const {
    return min(begin(tile) + tile_rows,
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
    return window > 0 || end(tile) - begin(tile) < tile_rows ||
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

 private:
  static __device__ int tiles_of(int keys) { return (keys + tile_rows - 1) / tile_rows; }
};

// A tile of keys and one of values in shared memory.
template <int E>
struct KeyStage {
  SharedTile<E> keys;
  SharedTile<E> values;

  static constexpr std::uint32_t kTileBytes = kTileRows<E> * SharedTile<E>::kRowBytes;
  static constexpr std::uint32_t kBytes = 2 * kTileBytes;

  __device__ KeyStage(std::uint32_t shared, int index)
      : keys{shared + index * kBytes}, values{keys.address + kTileBytes} {}
};

// Brings a block's keys and values through two stages of shared memory.
template <int E>
class KeyPipeline {
 public:
  // Shared memory of a kernel with so many tiles of the block's own rows. Those of a narrow head are
  // in the second stage until they are in registers.
  static constexpr std::size_t shared_bytes(int own_tiles) {
    return 2 * KeyStage<E>::kBytes + (kIsWide<E> ? own_tiles : 0) * kOwnBytes;
  }

  __device__ KeyPipeline(const AttentionInput& in, const QueryBlock& block, int key_head,
                         std::uint32_t shared)
      : in_(in),
        tiles_(block),
        key_head_(key_head),
        shared_(shared),
        first_(tiles_.first(in.positions, in.window)) {}

  __device__ const KeyTiles<kTileRows<E>>& tiles() const { return tiles_; }
  // Of the block's own rows; where they go to registers, they must be there before run.
  __device__ SharedTile<E> own_tile(int index) const {
    return {shared_ + (kIsWide<E> ? 2 : 1) * KeyStage<E>::kBytes + index * kOwnBytes};
  }
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
  static constexpr std::uint32_t kOwnBytes = kBlockRows * SharedTile<E>::kRowBytes;
  static_assert(kIsWide<E> || kTileRows<E> == kBlockRows);

  __device__ void start_tile(int tile, const KeyStage<E>& stage) const {
    const std::int64_t stride = row_stride(in_);
    const auto* rows =
        static_cast<const __nv_bfloat16*>(in_.qkv.data) + tiles_.begin(tile) * stride;
    const int count = tiles_.end(tile) - tiles_.begin(tile);
    stage.keys.template start_copy<kTileRows<E>, kAttentionThreads>(
        rows + key_column(in_, key_head_), stride, count);
    stage.values.template start_copy<kTileRows<E>, kAttentionThreads>(
        rows + value_column(in_, key_head_), stride, count);
    end_copy_group();
  }

  const AttentionInput& in_;
  KeyTiles<kTileRows<E>> tiles_;
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

// Sixteen rows of a tile, a warp's own: in registers, or those of a wide head where they are.
template <int E, bool held = !kIsWide<E>>
class WarpRows {
 public:
  __device__ WarpRows(const SharedTile<E>& tile, const typename SharedTile<E>::LanePlaces& lane,
                      int row) {
#pragma unroll
    for (int k = 0; k < E / 16; ++k) {
      parts_[k] = tile.load_a(lane, row, k * 16);
    }
  }
  // Columns [16 k, 16 k + 16).
  __device__ FragmentA part(int k) const {
    return parts_[k];
  }

 private:
  FragmentA parts_[E / 16];
};
template <int E>
class WarpRows<E, false> {
 public:
  __device__ WarpRows(const SharedTile<E>& tile, const typename SharedTile<E>::LanePlaces& lane,
                      int row)
      : tile_(tile), lane_(lane), row_(row) {}
  __device__ FragmentA part(int k) const { return tile_.load_a(lane_, row_, k * 16); }

 private:
  SharedTile<E> tile_;
  const typename SharedTile<E>::LanePlaces& lane_;
  int row_;
};

// c[n] += a row-block of 16 rows times the transposes of the tile's rows [row, row + 8 count).
template <int E, int count>
__device__ inline void multiply_by_rows(FragmentC (&c)[count], const WarpRows<E>& rows,
                                        const SharedTile<E>& tile,
                                        const typename SharedTile<E>::LanePlaces& lane, int row) {
#pragma unroll
  for (int k = 0; k < E / 16; ++k) {
    const FragmentA a = rows.part(k);
#pragma unroll
    for (int n = 0; n < count; n += 2) {
      FragmentB b[2];
      tile.load_b_transposed(b, lane, row + n * 8, k * 16);
      multiply_add(c[n], a, b[0]);
      multiply_add(c[n + 1], a, b[1]);
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
