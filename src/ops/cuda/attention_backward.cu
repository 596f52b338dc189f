// The gradients of attention_forward.cu in two kernels without atomics, so that sums have one order:
// blocks of queries go through keys for dq, blocks of keys go through queries for dk and dv. Both
// compute the probabilities again from lse.
//
//   p = exp(s - lse)     ds = p (dout v^T - delta)     dv = p^T dout     dk = ds^T q     dq = ds k
#include "ops/cuda/attention_fast.cuh"

namespace lmpo::cuda {
namespace {

struct Gradients {
  __nv_bfloat16* dqkv;
  const __nv_bfloat16* dout;
  const float* lse;
  const float* delta;
};

// --- dq

// Keys at a time: fewer than a tile, for registers' sake.
constexpr int kKeyParts = 4;

template <int E>
struct KeyStage {
  SharedTile<E> keys;
  SharedTile<E> values;

  __device__ KeyStage(std::uint32_t shared, int index)
      : keys{shared + index * 2 * kBlockRows * E * 2}, values{keys.address + kBlockRows * E * 2} {}
};

// Grid: query blocks x blocks of heads.
template <int E>
__global__ void __launch_bounds__(kAttentionThreads, 2)
    query_kernel(const __grid_constant__ AttentionInput in, Gradients gradients) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const QueryBlock block = in.query_blocks[blockIdx.x];
  const KeyTiles tiles(block);
  const QueryRows rows(in, block, static_cast<int>(blockIdx.y));
  const int key_head = rows.first_head / (in.query_heads / in.key_heads);
  const auto* qkv = static_cast<const __nv_bfloat16*>(in.qkv.data);
  const std::int64_t stride = row_stride(in);
  const int warp_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;
  const int lane_row = warp_row + static_cast<int>(threadIdx.x) % 32 / 4;
  const std::uint32_t stages = shared_address(shared);
  const typename SharedTile<E>::LanePlaces lane;

  const auto start_tile = [&](int tile, const KeyStage<E>& stage) {
    const std::int64_t first = tiles.begin(tile) * stride;
    const int count = tiles.end(tile) - tiles.begin(tile);
    stage.keys.template start_copy<kBlockRows, kAttentionThreads>(
        qkv + first + key_column(in, key_head), stride, count);
    stage.values.template start_copy<kBlockRows, kAttentionThreads>(
        qkv + first + value_column(in, key_head), stride, count);
    end_copy_group();
  };
  const auto query_offset = [&](int row) {
    return rows.has(row) ? rows.query(row) * stride + rows.head(row) * E : std::int64_t{-1};
  };

  // Queries and dout go through the second stage's place on their way to registers.
  const KeyStage<E> on_the_way(stages, 1);
  on_the_way.keys.template start_copy<kBlockRows, kAttentionThreads>(qkv, query_offset);
  on_the_way.values.template start_copy<kBlockRows, kAttentionThreads>(
      gradients.dout, [&](int row) {
        return rows.has(row) ? (std::int64_t{rows.query(row)} * in.query_heads + rows.head(row)) * E
                             : std::int64_t{-1};
      });
  end_copy_group();
  const int first_tile = tiles.first(in.positions, in.window);
  start_tile(first_tile, KeyStage<E>(stages, 0));
  wait_for_copies<1>();
  __syncthreads();
  FragmentA queries[E / 16];
  FragmentA douts[E / 16];
#pragma unroll
  for (int k = 0; k < E / 16; ++k) {
    queries[k] = on_the_way.keys.load_a(lane, warp_row, k * 16);
    douts[k] = on_the_way.values.load_a(lane, warp_row, k * 16);
  }
  __syncthreads();

  // A row that is not there gets probabilities of zero.
  float lse_log2[2];
  float delta[2];
  int query[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = lane_row + half * 8;
    const bool is_there = rows.has(row);
    query[half] = is_there ? rows.query(row) : rows.begin;
    const std::int64_t place = std::int64_t{rows.head(row)} * in.tokens + query[half];
    lse_log2[half] = is_there ? gradients.lse[place] * kLog2E : INFINITY;
    delta[half] = is_there ? gradients.delta[place] : 0.0F;
  }

  FragmentC sums[E / 8] = {};
  const float scale = rsqrtf(static_cast<float>(E));
  for (int tile = first_tile; tile < tiles.count; ++tile) {
    const int parity = (tile - first_tile) % 2;
    if (tile + 1 < tiles.count) {
      start_tile(tile + 1, KeyStage<E>(stages, 1 - parity));
      wait_for_copies<1>();
    } else {
      wait_for_copies<0>();
    }
    __syncthreads();
    const KeyStage<E> stage(stages, parity);
    const KeyTiles::Visible keys[2] = {
        tiles.visible(tile, query[0], in.positions, in.window),
        tiles.visible(tile, query[1], in.positions, in.window)};

#pragma unroll 1
    for (int part = 0; part < kBlockRows; part += kKeyParts * 8) {
      const int first_key = tiles.begin(tile) + part + static_cast<int>(threadIdx.x) % 4 * 2;
      if (tiles.begin(tile) + part >= tiles.end(tile)) {
        break;
      }
      FragmentC p[kKeyParts] = {};
      FragmentC ds[kKeyParts] = {};
      multiply_by_rows<E>(p, queries, stage.keys, lane, part);
      multiply_by_rows<E>(ds, douts, stage.values, lane, part);
#pragma unroll
      for (int n = 0; n < kKeyParts; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int key = first_key + n * 8 + i % 2;
          const float probability = fast_exp2(p[n].x[i] * (scale * kLog2E) - lse_log2[i / 2]);
          const bool sees = key >= keys[i / 2].first && key < keys[i / 2].last;
          ds[n].x[i] = sees ? probability * (ds[n].x[i] - delta[i / 2]) : 0.0F;
        }
      }
#pragma unroll
      for (int k = 0; k < kKeyParts / 2; ++k) {
        multiply_by_tile<E>(sums, round_to_a(ds[2 * k], ds[2 * k + 1]), stage.keys, lane,
                            part + k * 16);
      }
    }
    __syncthreads();
  }
  const float factors[2] = {scale, scale};
  store_rows<E>(gradients.dqkv, sums, factors, warp_row, query_offset);
}

// --- dk and dv

constexpr int kQueryRows = 64;   // queries of a tile
constexpr int kQueryParts = 4;   // eights of them at a time, for registers' sake

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

template <int E>
struct QueryStage {
  SharedTile<E> queries;
  SharedTile<E> douts;
  float* lse;
  float* delta;
};

template <int E>
constexpr std::size_t kKeySharedBytes =
    std::size_t{2} * kBlockRows * E * 2 + std::size_t{4} * kQueryRows * E * 2 +
    std::size_t{4} * kQueryRows * sizeof(float);

// Grid: key blocks x key heads. Here rows are keys: products are the transposes of query_kernel's.
template <int E>
__global__ void __launch_bounds__(kAttentionThreads, 2)
    key_kernel(const __grid_constant__ AttentionInput in, Gradients gradients) {
  extern __shared__ __align__(1024) unsigned char shared[];
  const KeyBlock block = in.key_blocks[blockIdx.x];
  const int key_head = blockIdx.y;
  const auto* qkv = static_cast<const __nv_bfloat16*>(in.qkv.data);
  const std::int64_t stride = row_stride(in);
  const std::int64_t out_stride = std::int64_t{in.query_heads} * E;
  const int warp_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;
  const typename SharedTile<E>::LanePlaces lane;

  const SharedTile<E> keys{shared_address(shared)};
  const SharedTile<E> values{keys.address + kBlockRows * E * 2};
  const std::uint32_t first_stage = values.address + kBlockRows * E * 2;
  auto* numbers =
      reinterpret_cast<float*>(shared + 2 * kBlockRows * E * 2 + 4 * kQueryRows * E * 2);
  const auto stage_of = [&](int index) {
    const SharedTile<E> queries{first_stage + index * 2 * kQueryRows * E * 2};
    return QueryStage<E>{queries, {queries.address + kQueryRows * E * 2},
                         numbers + index * 2 * kQueryRows, numbers + (index * 2 + 1) * kQueryRows};
  };
  const std::int64_t key_place = block.begin * stride + key_column(in, key_head);
  const std::int64_t value_place = block.begin * stride + value_column(in, key_head);
  keys.template start_copy<kBlockRows, kAttentionThreads>(qkv + key_place, stride, block.count);
  values.template start_copy<kBlockRows, kAttentionThreads>(qkv + value_place, stride, block.count);

  const QueryTiles tiles(in, block);
  const auto start_tile = [&](const QueryTile& at, const QueryStage<E>& stage) {
    const int head = tiles.head(at, key_head);
    const int count = at.count();
    stage.queries.template start_copy<kQueryRows, kAttentionThreads>(
        qkv + at.begin * stride + head * E, stride, count);
    stage.douts.template start_copy<kQueryRows, kAttentionThreads>(
        gradients.dout + at.begin * out_stride + head * E, out_stride, count);
    static_assert(kAttentionThreads == 2 * kQueryRows);
    const int row = static_cast<int>(threadIdx.x) % kQueryRows;
    const bool is_delta = threadIdx.x >= kQueryRows;
    const bool is_there = row < count;
    const std::int64_t place = std::int64_t{head} * in.tokens + at.begin + (is_there ? row : 0);
    start_copy_float(shared_address((is_delta ? stage.delta : stage.lse) + row),
                     (is_delta ? gradients.delta : gradients.lse) + place, is_there);
    end_copy_group();
  };
  QueryTile tile = tiles.first();
  if (!tiles.is_end(tile)) {
    start_tile(tile, stage_of(0));
  }

  FragmentC dk[E / 8] = {};
  FragmentC dv[E / 8] = {};
  const float scale = rsqrtf(static_cast<float>(E));
  for (int index = 0; !tiles.is_end(tile); index ^= 1) {
    const QueryTile next = tiles.after(tile);
    if (tiles.is_end(next)) {
      wait_for_copies<0>();
    } else {
      start_tile(next, stage_of(index ^ 1));
      wait_for_copies<1>();
    }
    __syncthreads();
    const QueryStage<E> stage = stage_of(index);
    const int count = tile.count();

#pragma unroll 1
    for (int part = 0; part < count; part += kQueryParts * 8) {
      FragmentC p[kQueryParts] = {};
      FragmentC ds[kQueryParts] = {};
#pragma unroll
      for (int k = 0; k < E / 16; ++k) {
        const FragmentA key = keys.load_a(lane, warp_row, k * 16);
        const FragmentA value = values.load_a(lane, warp_row, k * 16);
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
      const int first = part + static_cast<int>(threadIdx.x) % 4 * 2;  // the lane's columns
#pragma unroll
      for (int n = 0; n < kQueryParts; ++n) {
        const float2 lse = *reinterpret_cast<const float2*>(stage.lse + first + n * 8);
        const float2 delta = *reinterpret_cast<const float2*>(stage.delta + first + n * 8);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          p[n].x[i] = fast_exp2(p[n].x[i] * (scale * kLog2E) -
                                (i % 2 == 0 ? lse.x : lse.y) * kLog2E);
          ds[n].x[i] -= i % 2 == 0 ? delta.x : delta.y;
        }
      }
      if (tiles.needs_mask(tile, tile.begin + part)) {
        const int key = block.begin + warp_row + static_cast<int>(threadIdx.x) % 32 / 4;
#pragma unroll
        for (int n = 0; n < kQueryParts; ++n) {
#pragma unroll
          for (int i = 0; i < 4; ++i) {
            const int query = tile.begin + first + n * 8 + i % 2;
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
  wait_for_copies<0>();
  const auto offset_from = [&](std::int64_t place) {
    return [&, place](int row) { return row < block.count ? place + row * stride : std::int64_t{-1}; };
  };
  const float key_factors[2] = {scale, scale};
  const float value_factors[2] = {1.0F, 1.0F};
  store_rows<E>(gradients.dqkv, dk, key_factors, warp_row, offset_from(key_place));
  store_rows<E>(gradients.dqkv, dv, value_factors, warp_row, offset_from(value_place));
}

template <int E>
void launch(cudaStream_t stream, const AttentionInput& in, const Gradients& gradients) {
  const dim3 queries(static_cast<unsigned>(in.query_block_count), head_blocks(in));
  const dim3 keys(static_cast<unsigned>(in.key_block_count), static_cast<unsigned>(in.key_heads));
  launch_with_shared(query_kernel<E>, queries, std::size_t{4} * kBlockRows * E * 2, stream, in,
                     gradients);
  launch_with_shared(key_kernel<E>, keys, kKeySharedBytes<E>, stream, in, gradients);
}

}  // namespace

void attention_backward(cudaStream_t stream, const AttentionInput& in, Typed dqkv, Typed dout,
                        const float* lse, const float* delta) {
  const Gradients gradients{as<__nv_bfloat16>(dqkv), as<__nv_bfloat16>(dout), lse, delta};
  if (in.head_size == 64) {
    launch<64>(stream, in, gradients);
  } else {
    launch<128>(stream, in, gradients);
  }
}

}  // namespace lmpo::cuda
