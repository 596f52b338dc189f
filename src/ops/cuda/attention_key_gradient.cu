// The gradients of attention_forward.cu for keys and values: a block of keys goes through the
// queries that see it, so that no sum needs atomics, and computes the probabilities again from lse.
//
//   p = exp(s - lse)     ds = p (dout v^T - delta)     dv = p^T dout     dk = ds^T q
//
// The registers of a warp hold both sums of its 16 keys, but for a wide head only one: then four
// warps compute dv, four others dk, and hand the probabilities over in shared memory.
#include "ops/cuda/attention_fast.cuh"
#include "ops/cuda/attention_queries.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kQueryParts = 4;  // eights of queries at a time, for registers' sake

template <int E>
constexpr int kKeyThreads = kIsWide<E> ? 2 * kAttentionThreads : kAttentionThreads;

// A tile of queries and dout in shared memory, with the rows' numbers.
template <int E>
struct QueryStage {
  SharedTile<E> queries;
  SharedTile<E> douts;
  float* lse;
  float* delta;
};

// Shared memory of a block: its keys and values, two stages of queries, and their numbers; then what
// warps hand over.
template <int E>
struct KeyMemory {
  static constexpr int kQueryRows = kTileRows<E>;
  static constexpr std::uint32_t kKeyBytes = kBlockRows * SharedTile<E>::kRowBytes;
  static constexpr std::uint32_t kQueryBytes = kQueryRows * SharedTile<E>::kRowBytes;
  static constexpr std::uint32_t kNumbers = 2 * kKeyBytes + 4 * kQueryBytes;
  static constexpr std::uint32_t kHandedOver = kNumbers + 4 * kQueryRows * sizeof(float);
  static constexpr std::uint32_t kBytes =
      kHandedOver + (kIsWide<E> ? kAttentionThreads * kQueryParts * sizeof(FragmentC) : 0);

  unsigned char* base;

  __device__ SharedTile<E> keys() const { return {shared_address(base)}; }
  __device__ SharedTile<E> values() const { return {shared_address(base) + kKeyBytes}; }
  __device__ QueryStage<E> stage(int index) const {
    const SharedTile<E> queries{shared_address(base) + 2 * kKeyBytes + index * 2 * kQueryBytes};
    auto* numbers = reinterpret_cast<float*>(base + kNumbers) + index * 2 * kQueryRows;
    return {queries, {queries.address + kQueryBytes}, numbers, numbers + kQueryRows};
  }
  // This lane's n-th fragment of those that its warp and the warp four further hand over.
  __device__ FragmentC& handed_over(int n) const {
    const int lane = static_cast<int>(threadIdx.x) % kAttentionThreads;
    return reinterpret_cast<FragmentC*>(base + kHandedOver)[n * kAttentionThreads + lane];
  }
};

// What the kernel reads and writes beside qkv.
struct Gradients {
  __nv_bfloat16* dqkv;
  const __nv_bfloat16* dout;
  const float* lse;
  const float* delta;
};

// Begins to copy a tile of one head.
template <int E>
__device__ inline void start_query_tile(const AttentionInput& in, const Gradients& gradients,
                                        const QueryTile& tile, int count, int head,
                                        const QueryStage<E>& stage) {
  constexpr int kQueryRows = kTileRows<E>;
  const std::int64_t stride = row_stride(in);
  const std::int64_t out_stride = std::int64_t{in.query_heads} * E;
  stage.queries.template start_copy<kQueryRows, kKeyThreads<E>>(
      static_cast<const __nv_bfloat16*>(in.qkv.data) + tile.begin * stride + head * E, stride,
      count);
  stage.douts.template start_copy<kQueryRows, kKeyThreads<E>>(
      gradients.dout + tile.begin * out_stride + head * E, out_stride, count);
  static_assert(kKeyThreads<E> >= 2 * kQueryRows);
  if (threadIdx.x < 2 * kQueryRows) {
    const int row = static_cast<int>(threadIdx.x) % kQueryRows;
    const bool is_delta = threadIdx.x >= kQueryRows;
    const bool is_there = row < count;
    const std::int64_t place = std::int64_t{head} * in.tokens + tile.begin + (is_there ? row : 0);
    start_copy_4(shared_address((is_delta ? stage.delta : stage.lse) + row),
                 (is_delta ? gradients.delta : gradients.lse) + place, is_there);
  }
  end_copy_group();
}

// c += rows queries^T for queries from `part` on: the keys' with a stage's queries, the values' with
// its douts.
template <int E>
__device__ inline void multiply_by_queries(FragmentC (&c)[kQueryParts], const SharedTile<E>& rows,
                                           const SharedTile<E>& queries,
                                           const typename SharedTile<E>::LanePlaces& lane,
                                           int warp_row, int part, int k) {
  const FragmentA a = rows.load_a(lane, warp_row, k * 16);
#pragma unroll
  for (int n = 0; n < kQueryParts; n += 2) {
    FragmentB b[2];
    queries.load_b_transposed(b, lane, part + n * 8, k * 16);
    multiply_add(c[n], a, b[0]);
    multiply_add(c[n + 1], a, b[1]);
  }
}

// A warp's keys, and the part of a tile of queries that it is at.
template <int E, typename Units>
struct KeyWarp {
  using Tiles = QueryTiles<kTileRows<E>>;

  const KeyMemory<E>& memory;
  const typename SharedTile<E>::LanePlaces& lane;
  const Tiles& tiles;
  const Units& units;
  int row;  // the warp's first, of the block's keys
  int key;  // the lane's upper one

  // From products q.k in p to probabilities; `factors` become what the products' gradients are,
  // in units of the scale, over p.
  __device__ void finish_scores(FragmentC (&p)[kQueryParts], FragmentC (&factors)[kQueryParts],
                                const QueryStage<E>& stage, const QueryTile& tile, int part) const {
    const int column = part + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
    for (int n = 0; n < kQueryParts; ++n) {
      const float2 lse = *reinterpret_cast<const float2*>(stage.lse + column + n * 8);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const float score = units.of(p[n].x[i]);
        p[n].x[i] = fast_exp2(score * units.exponent() - (i % 2 == 0 ? lse.x : lse.y) * kLog2E);
        factors[n].x[i] *= units.slope(score);
      }
    }
    if (tiles.needs_mask(tile, tile.begin + part, kQueryParts * 8)) {
#pragma unroll
      for (int n = 0; n < kQueryParts; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int query = tile.begin + column + n * 8 + i % 2;
          p[n].x[i] = tiles.sees(tile, query, key + i / 2 * 8) ? p[n].x[i] : 0.0F;
        }
      }
    }
  }
  // ds -= delta.
  __device__ void subtract_delta(FragmentC (&ds)[kQueryParts], const QueryStage<E>& stage,
                                 int part) const {
    const int column = part + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
    for (int n = 0; n < kQueryParts; ++n) {
      const float2 delta = *reinterpret_cast<const float2*>(stage.delta + column + n * 8);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        ds[n].x[i] -= i % 2 == 0 ? delta.x : delta.y;
      }
    }
  }
  // sums += c^T times the tile's rows from `part` on.
  __device__ void add(FragmentC (&sums)[E / 8], const FragmentC (&c)[kQueryParts],
                      const SharedTile<E>& tile, int part) const {
#pragma unroll
    for (int k = 0; k < kQueryParts / 2; ++k) {
      multiply_by_tile<E>(sums, round_to_a(c[2 * k], c[2 * k + 1]), tile, lane, part + k * 16);
    }
  }
};

// What a warp adds up: dk and dv of its keys.
template <int E, bool wide = kIsWide<E>>
class KeySums {
 public:
  template <typename Warp>
  __device__ void add_part(const Warp& warp, const QueryStage<E>& stage, const QueryTile& tile,
                           int part) {
    FragmentC p[kQueryParts] = {};
    FragmentC ds[kQueryParts] = {};
#pragma unroll
    for (int k = 0; k < E / 16; ++k) {
      multiply_by_queries<E>(p, warp.memory.keys(), stage.queries, warp.lane, warp.row, part, k);
      multiply_by_queries<E>(ds, warp.memory.values(), stage.douts, warp.lane, warp.row, part, k);
    }
    warp.subtract_delta(ds, stage, part);
    warp.finish_scores(p, ds, stage, tile, part);
#pragma unroll
    for (int n = 0; n < kQueryParts; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        ds[n].x[i] *= p[n].x[i];
      }
    }
    warp.add(dv_, p, stage.douts, part);
    warp.add(dk_, ds, stage.queries, part);
  }
  // At these places of dqkv, plus the offset of a row of the block.
  template <typename Offset>
  __device__ void store(__nv_bfloat16* dk, __nv_bfloat16* dv, float scale, int warp_row,
                        const Offset& offset_of) const {
    const float key_factors[2] = {scale, scale};
    const float value_factors[2] = {1.0F, 1.0F};
    store_rows<E>(dk, dk_, key_factors, warp_row, offset_of);
    store_rows<E>(dv, dv_, value_factors, warp_row, offset_of);
  }

 private:
  FragmentC dk_[E / 8] = {};
  FragmentC dv_[E / 8] = {};
};

// Of a wide head: the first four warps add up dv, the others dk.
template <int E>
class KeySums<E, true> {
 public:
  template <typename Warp>
  __device__ void add_part(const Warp& warp, const QueryStage<E>& stage, const QueryTile& tile,
                           int part) {
    FragmentC c[kQueryParts] = {};  // p, or ds
    const SharedTile<E> rows = is_of_values() ? warp.memory.keys() : warp.memory.values();
    const SharedTile<E> queries = is_of_values() ? stage.queries : stage.douts;
#pragma unroll
    for (int k = 0; k < E / 16; ++k) {
      multiply_by_queries<E>(c, rows, queries, warp.lane, warp.row, part, k);
    }
    if (is_of_values()) {
      FragmentC factors[kQueryParts];
      for_all([&](int n, int i) { factors[n].x[i] = 1.0F; });
      warp.finish_scores(c, factors, stage, tile, part);
      for_all([&](int n, int i) { factors[n].x[i] *= c[n].x[i]; });
#pragma unroll
      for (int n = 0; n < kQueryParts; ++n) {
        warp.memory.handed_over(n) = factors[n];
      }
    } else {
      warp.subtract_delta(c, stage, part);
    }
    __syncthreads();
    if (!is_of_values()) {
#pragma unroll
      for (int n = 0; n < kQueryParts; ++n) {
        const FragmentC factors = warp.memory.handed_over(n);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          c[n].x[i] *= factors.x[i];
        }
      }
    }
    warp.add(sums_, c, is_of_values() ? stage.douts : stage.queries, part);
  }
  template <typename Offset>
  __device__ void store(__nv_bfloat16* dk, __nv_bfloat16* dv, float scale, int warp_row,
                        const Offset& offset_of) const {
    const float factor = is_of_values() ? 1.0F : scale;
    const float factors[2] = {factor, factor};
    store_rows<E>(is_of_values() ? dv : dk, sums_, factors, warp_row, offset_of);
  }

 private:
  static __device__ bool is_of_values() {
    return threadIdx.x < kAttentionThreads;
  }
  template <typename Body>
  static __device__ void for_all(const Body& body) {
#pragma unroll
    for (int n = 0; n < kQueryParts; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        body(n, i);
      }
    }
  }

  FragmentC sums_[E / 8] = {};
};

// Grid: key blocks x key heads. Here rows are keys: products are the transposes of the forward's.
template <int E, typename Units>
__global__ void __launch_bounds__(kKeyThreads<E>, kIsWide<E> ? 1 : 2)
    key_kernel(const __grid_constant__ AttentionInput in, Units units, Gradients gradients) {
  constexpr int kThreads = kKeyThreads<E>;
  const KeyMemory<E> memory{dynamic_shared()};
  const KeyBlock block = in.key_blocks[blockIdx.x];
  const int key_head = static_cast<int>(blockIdx.y);
  const auto* qkv = static_cast<const __nv_bfloat16*>(in.qkv.data);
  const std::int64_t stride = row_stride(in);
  const std::int64_t key_place = block.begin * stride + key_column(in, key_head);
  const std::int64_t value_place = block.begin * stride + value_column(in, key_head);
  memory.keys().template start_copy<kBlockRows, kThreads>(qkv + key_place, stride, block.count);
  memory.values().template start_copy<kBlockRows, kThreads>(qkv + value_place, stride, block.count);

  const QueryTiles<kTileRows<E>> tiles(in, block);
  const typename SharedTile<E>::LanePlaces lane;
  const int warp_row = static_cast<int>(threadIdx.x) % kAttentionThreads / 32 * kWarpRows;
  const int lane_key = block.begin + warp_row + static_cast<int>(threadIdx.x) % 32 / 4;
  const KeyWarp<E, Units> warp{memory, lane, tiles, units, warp_row, lane_key};
  const auto start = [&](const QueryTile& tile, int stage) {
    start_query_tile<E>(in, gradients, tile, tiles.count(tile), tiles.head(tile, key_head),
                        memory.stage(stage));
  };
  QueryTile tile = tiles.first();  // there is one: a key is seen by its own query
  start(tile, 0);
  KeySums<E> sums;
  for (int index = 0; !tiles.is_end(tile); index ^= 1) {
    const QueryTile next = tiles.after(tile);
    if (tiles.is_end(next)) {
      wait_for_copies<0>();
    } else {
      start(next, index ^ 1);
      wait_for_copies<1>();
    }
    __syncthreads();
    const int count = tiles.count(tile);
#pragma unroll 1
    for (int part = 0; part < count; part += kQueryParts * 8) {
      sums.add_part(warp, memory.stage(index), tile, part);
    }
    __syncthreads();
    tile = next;
  }
  sums.store(gradients.dqkv + key_place, gradients.dqkv + value_place, in.scale, warp_row,
             [&](int row) { return row < block.count ? row * stride : std::int64_t{-1}; });
}

}  // namespace

void attention_key_gradient(cudaStream_t stream, const AttentionInput& in, Typed dqkv, Typed dout,
                            const float* lse, const float* delta) {
  const Gradients gradients{as<__nv_bfloat16>(dqkv), as<__nv_bfloat16>(dout), lse, delta};
  const dim3 grid(static_cast<unsigned>(in.key_block_count), static_cast<unsigned>(in.key_heads));
  with_fast_head_size(in.head_size, [&](auto size) {
    with_score_units(in, [&](auto units) {
      constexpr int kSize = decltype(size)::value;
      launch_kernel(key_kernel<kSize, decltype(units)>,
                    {grid, kKeyThreads<kSize>, KeyMemory<kSize>::kBytes}, stream, in, units,
                    gradients);
    });
  });
}

}  // namespace lmpo::cuda
