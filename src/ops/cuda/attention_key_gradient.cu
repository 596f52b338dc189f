// The gradients of attention_forward.cu for keys and values: a block of keys goes through the
// queries that see it, so that no sum needs atomics, and computes the probabilities again from lse.
//
//   p = exp(s - lse)     ds = p (dout v^T - delta)     dv = p^T dout     dk = ds^T q
#include "ops/cuda/attention_fast.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kQueryRows = 64;  // queries of a tile
constexpr int kQueryParts = 4;  // eights of them at a time, for registers' sake

// A tile of queries of one run, and one head of the keys' group.
struct QueryTile {
  int run;
  int begin;
  int head;
  QueryRun of;  // the run, kept while tiles are of it

  __device__ int count() const { return min(kQueryRows, of.end - begin); }
};

// The queries that a block of keys goes through: for each run, tile by tile, every head.
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
    tile.begin += kQueryRows;
    return visible(tile.begin < tile.of.end ? tile : entered(tile.run + 1));
  }
  __device__ bool is_end(const QueryTile& tile) const { return tile.run == block_.last_run; }
  __device__ int head(const QueryTile& tile, int key_head) const {
    return key_head * group_ + tile.head;
  }
  // Whether some of the queries from `begin` on does not see some key.
  __device__ bool needs_mask(const QueryTile& tile, int begin) const {
    const int end_of_keys = block_.begin + block_.count;
    const bool all_in_context =
        block_.begin >= tile.of.context_begin && end_of_keys <= tile.of.context_end;
    const bool all_before = block_.begin >= tile.of.own_begin && end_of_keys <= begin + 1;
    return in_.window > 0 || tile.of.end - begin < kQueryParts * 8 ||
           !(all_in_context || all_before);
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

// A tile of queries and dout in shared memory, with the rows' numbers.
template <int E>
struct QueryStage {
  SharedTile<E> queries;
  SharedTile<E> douts;
  float* lse;
  float* delta;
};

// Shared memory of a block: its keys and values, two stages of queries, and their numbers.
template <int E>
struct KeyMemory {
  static constexpr std::size_t kKeyBytes = std::size_t{2} * kBlockRows * E * 2;
  static constexpr std::size_t kStageBytes = std::size_t{2} * kQueryRows * E * 2;
  static constexpr std::size_t kBytes =
      kKeyBytes + 2 * kStageBytes + std::size_t{4} * kQueryRows * sizeof(float);

  unsigned char* base;

  __device__ SharedTile<E> keys() const { return {shared_address(base)}; }
  __device__ SharedTile<E> values() const { return {shared_address(base) + kBlockRows * E * 2}; }
  __device__ QueryStage<E> stage(int index) const {
    const SharedTile<E> queries{shared_address(base) +
                                static_cast<std::uint32_t>(kKeyBytes + index * kStageBytes)};
    auto* numbers =
        reinterpret_cast<float*>(base + kKeyBytes + 2 * kStageBytes) + index * 2 * kQueryRows;
    return {queries, {queries.address + kQueryRows * E * 2}, numbers, numbers + kQueryRows};
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
                                        const QueryTile& tile, int head,
                                        const QueryStage<E>& stage) {
  const std::int64_t stride = row_stride(in);
  const std::int64_t out_stride = std::int64_t{in.query_heads} * E;
  const int count = tile.count();
  stage.queries.template start_copy<kQueryRows, kAttentionThreads>(
      static_cast<const __nv_bfloat16*>(in.qkv.data) + tile.begin * stride + head * E, stride,
      count);
  stage.douts.template start_copy<kQueryRows, kAttentionThreads>(
      gradients.dout + tile.begin * out_stride + head * E, out_stride, count);
  static_assert(kAttentionThreads == 2 * kQueryRows);
  const int row = static_cast<int>(threadIdx.x) % kQueryRows;
  const bool is_delta = threadIdx.x >= kQueryRows;
  const bool is_there = row < count;
  const std::int64_t place = std::int64_t{head} * in.tokens + tile.begin + (is_there ? row : 0);
  start_copy_4(shared_address((is_delta ? stage.delta : stage.lse) + row),
               (is_delta ? gradients.delta : gradients.lse) + place, is_there);
  end_copy_group();
}

// From scores in p and v dout^T in ds to probabilities and the scores' gradients. `column` is the
// lane's first in the stage, `key` its upper row's.
template <int E>
__device__ inline void finish_scores(FragmentC (&p)[kQueryParts], FragmentC (&ds)[kQueryParts],
                                     const QueryStage<E>& stage, const QueryTiles& tiles,
                                     const QueryTile& tile, int column, int key, bool mask,
                                     float scale_log2) {
#pragma unroll
  for (int n = 0; n < kQueryParts; ++n) {
    const float2 lse = *reinterpret_cast<const float2*>(stage.lse + column + n * 8);
    const float2 delta = *reinterpret_cast<const float2*>(stage.delta + column + n * 8);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      p[n].x[i] = fast_exp2(p[n].x[i] * scale_log2 - (i % 2 == 0 ? lse.x : lse.y) * kLog2E);
      ds[n].x[i] -= i % 2 == 0 ? delta.x : delta.y;
    }
  }
  if (mask) {
#pragma unroll
    for (int n = 0; n < kQueryParts; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int query = tile.begin + column + n * 8 + i % 2;
        p[n].x[i] = tiles.sees(tile, query, key + i / 2 * 8) ? p[n].x[i] : 0.0F;
      }
    }
  }
#pragma unroll
  for (int n = 0; n < kQueryParts; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      ds[n].x[i] *= p[n].x[i];
    }
  }
}

// p += keys queries^T and ds += values dout^T, for queries from `part` on.
template <int E>
__device__ inline void multiply_by_queries(FragmentC (&p)[kQueryParts],
                                           FragmentC (&ds)[kQueryParts], const KeyMemory<E>& memory,
                                           const QueryStage<E>& stage,
                                           const typename SharedTile<E>::LanePlaces& lane,
                                           int warp_row, int part) {
#pragma unroll
  for (int k = 0; k < E / 16; ++k) {
    const FragmentA key = memory.keys().load_a(lane, warp_row, k * 16);
    const FragmentA value = memory.values().load_a(lane, warp_row, k * 16);
#pragma unroll
    for (int n = 0; n < kQueryParts; n += 2) {
      FragmentB b[2];
      stage.queries.load_b_transposed(b, lane, part + n * 8, k * 16);
      multiply_add(p[n], key, b[0]);
      multiply_add(p[n + 1], key, b[1]);
      stage.douts.load_b_transposed(b, lane, part + n * 8, k * 16);
      multiply_add(ds[n], value, b[0]);
      multiply_add(ds[n + 1], value, b[1]);
    }
  }
}

// Grid: key blocks x key heads. Here rows are keys: products are the transposes of the forward's.
template <int E>
__global__ void __launch_bounds__(kAttentionThreads, 2)
    key_kernel(const __grid_constant__ AttentionInput in, Gradients gradients) {
  unsigned char* const shared = dynamic_shared();
  const KeyMemory<E> memory{shared};
  const KeyBlock block = in.key_blocks[blockIdx.x];
  const int key_head = static_cast<int>(blockIdx.y);
  const auto* qkv = static_cast<const __nv_bfloat16*>(in.qkv.data);
  const std::int64_t stride = row_stride(in);
  const int warp_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;
  const int lane_key = block.begin + warp_row + static_cast<int>(threadIdx.x) % 32 / 4;
  const typename SharedTile<E>::LanePlaces lane;
  const std::int64_t key_place = block.begin * stride + key_column(in, key_head);
  const std::int64_t value_place = block.begin * stride + value_column(in, key_head);
  memory.keys().template start_copy<kBlockRows, kAttentionThreads>(qkv + key_place, stride,
                                                                   block.count);
  memory.values().template start_copy<kBlockRows, kAttentionThreads>(qkv + value_place, stride,
                                                                     block.count);
  const QueryTiles tiles(in, block);
  QueryTile tile = tiles.first();  // there is one: a key is seen by its own query
  start_query_tile<E>(in, gradients, tile, tiles.head(tile, key_head), memory.stage(0));

  FragmentC dk[E / 8] = {};
  FragmentC dv[E / 8] = {};
  for (int index = 0; !tiles.is_end(tile); index ^= 1) {
    const QueryTile next = tiles.after(tile);
    if (tiles.is_end(next)) {
      wait_for_copies<0>();
    } else {
      start_query_tile<E>(in, gradients, next, tiles.head(next, key_head), memory.stage(index ^ 1));
      wait_for_copies<1>();
    }
    __syncthreads();
    const QueryStage<E> stage = memory.stage(index);
    const int count = tile.count();
#pragma unroll 1
    for (int part = 0; part < count; part += kQueryParts * 8) {
      FragmentC p[kQueryParts] = {};
      FragmentC ds[kQueryParts] = {};
      multiply_by_queries<E>(p, ds, memory, stage, lane, warp_row, part);
      finish_scores<E>(p, ds, stage, tiles, tile, part + static_cast<int>(threadIdx.x) % 4 * 2,
                       lane_key, tiles.needs_mask(tile, tile.begin + part), in.scale * kLog2E);
#pragma unroll
      for (int k = 0; k < kQueryParts / 2; ++k) {
        const int row = part + k * 16;
        multiply_by_tile<E>(dv, round_to_a(p[2 * k], p[2 * k + 1]), stage.douts, lane, row);
        multiply_by_tile<E>(dk, round_to_a(ds[2 * k], ds[2 * k + 1]), stage.queries, lane, row);
      }
    }
    __syncthreads();
    tile = next;
  }

  const auto offset_from = [&](std::int64_t place) {
    return
        [&, place](int row) { return row < block.count ? place + row * stride : std::int64_t{-1}; };
  };
  const float key_factors[2] = {in.scale, in.scale};
  const float value_factors[2] = {1.0F, 1.0F};
  store_rows<E>(gradients.dqkv, dk, key_factors, warp_row, offset_from(key_place));
  store_rows<E>(gradients.dqkv, dv, value_factors, warp_row, offset_from(value_place));
}

template <int E>
void launch(cudaStream_t stream, const AttentionInput& in, const Gradients& gradients) {
  const dim3 grid(static_cast<unsigned>(in.key_block_count), static_cast<unsigned>(in.key_heads));
  launch_kernel(key_kernel<E>, {grid, kAttentionThreads, KeyMemory<E>::kBytes}, stream, in,
                gradients);
}

}  // namespace

void attention_key_gradient(cudaStream_t stream, const AttentionInput& in, Typed dqkv, Typed dout,
                            const float* lse, const float* delta) {
  const Gradients gradients{as<__nv_bfloat16>(dqkv), as<__nv_bfloat16>(dout), lse, delta};
  if (in.head_size == 64) {
    launch<64>(stream, in, gradients);
  } else {
    launch<128>(stream, in, gradients);
  }
}

}  // namespace lmpo::cuda
