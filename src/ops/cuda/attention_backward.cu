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

// Grid: query blocks x query heads.
template <int E>
__global__ void __launch_bounds__(kAttentionThreads)
    query_kernel(AttentionInput in, Gradients gradients) {
  extern __shared__ __align__(128) unsigned char shared[];
  const QueryBlock block = in.query_blocks[blockIdx.x];
  const KeyTiles tiles(block);
  const int head = blockIdx.y;
  const HeadColumns columns = columns_of(in, head, head / (in.query_heads / in.key_heads));
  const auto* qkv = static_cast<const __nv_bfloat16*>(in.qkv.data);
  const std::int64_t out_stride = std::int64_t{in.query_heads} * E;
  const int warp_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;
  const int upper = block.begin + warp_row + static_cast<int>(threadIdx.x) % 32 / 4;
  const KeyStage<E> stages[2] = {{shared_address(shared), 0}, {shared_address(shared), 1}};

  const auto start_tile = [&](int tile, const KeyStage<E>& stage) {
    const std::int64_t first = tiles.begin(tile) * columns.stride;
    const int count = tiles.end(tile) - tiles.begin(tile);
    stage.keys.template start_copy<kBlockRows, kAttentionThreads>(qkv + first + columns.key,
                                                                  columns.stride, count);
    stage.values.template start_copy<kBlockRows, kAttentionThreads>(qkv + first + columns.value,
                                                                    columns.stride, count);
    end_copy_group();
  };

  // Queries and dout go through the second stage's place on their way to registers.
  stages[1].keys.template start_copy<kBlockRows, kAttentionThreads>(
      qkv + block.begin * columns.stride + columns.query, columns.stride, block.count);
  stages[1].values.template start_copy<kBlockRows, kAttentionThreads>(
      gradients.dout + block.begin * out_stride + head * E, out_stride, block.count);
  end_copy_group();
  const int first_tile = tiles.first(in.positions, in.window);
  start_tile(first_tile, stages[0]);
  wait_for_copies<1>();
  __syncthreads();
  FragmentA queries[E / 16];
  FragmentA douts[E / 16];
#pragma unroll
  for (int k = 0; k < E / 16; ++k) {
    queries[k] = stages[1].keys.load_a(warp_row, k * 16);
    douts[k] = stages[1].values.load_a(warp_row, k * 16);
  }
  __syncthreads();

  // A row that is not there gets probabilities of zero.
  float lse_log2[2];
  float delta[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int query = upper + half * 8;
    const bool is_there = query < block.begin + block.count;
    const std::int64_t place = std::int64_t{head} * in.tokens + query;
    lse_log2[half] = is_there ? gradients.lse[place] * kLog2E : INFINITY;
    delta[half] = is_there ? gradients.delta[place] : 0.0F;
  }

  FragmentC sums[E / 8] = {};
  const float scale = rsqrtf(static_cast<float>(E));
  for (int tile = first_tile; tile < tiles.count; ++tile) {
    const bool odd = (tile - first_tile) % 2 != 0;
    if (tile + 1 < tiles.count) {
      start_tile(tile + 1, odd ? stages[0] : stages[1]);
      wait_for_copies<1>();
    } else {
      wait_for_copies<0>();
    }
    __syncthreads();
    const KeyStage<E>& stage = odd ? stages[1] : stages[0];
    const bool mask = tiles.needs_mask(tile, in.window);

#pragma unroll 1
    for (int part = 0; part < kBlockRows; part += kKeyParts * 8) {
      FragmentC p[kKeyParts] = {};
      FragmentC ds[kKeyParts] = {};
      multiply_by_rows<E>(p, queries, stage.keys, part);
      multiply_by_rows<E>(ds, douts, stage.values, part);
#pragma unroll
      for (int n = 0; n < kKeyParts; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          float probability = exp2f(p[n].x[i] * (scale * kLog2E) - lse_log2[i / 2]);
          if (mask) {
            const int query = min(upper + i / 2 * 8, block.begin + block.count - 1);
            const int key =
                tiles.begin(tile) + part + n * 8 + static_cast<int>(threadIdx.x) % 4 * 2 + i % 2;
            probability =
                tiles.sees(tile, query, key, in.positions, in.window) ? probability : 0.0F;
          }
          ds[n].x[i] = probability * (ds[n].x[i] - delta[i / 2]);
        }
      }
#pragma unroll
      for (int k = 0; k < kKeyParts / 2; ++k) {
        multiply_by_tile<E>(sums, round_to_a(ds[2 * k], ds[2 * k + 1]), stage.keys, part + k * 16);
      }
    }
    __syncthreads();
  }
  store_rows<E>(gradients.dqkv + (block.begin + warp_row) * columns.stride + columns.query,
                columns.stride, sums, scale, scale, block.count - warp_row);
}

// --- dk and dv

constexpr int kQueryRows = 32;  // queries at a time
constexpr int kQueryParts = kQueryRows / 8;

// A tile of queries of one run, and one head of the keys' group.
struct QueryTile {
  int run;
  int begin;
  int head;
};

// The queries that a block of keys goes through: for each run, tile by tile, every head.
class QueryTiles {
 public:
  __device__ QueryTiles(const AttentionInput& in, const KeyBlock& keys)
      : in_(in), block_(keys), group_(in.query_heads / in.key_heads) {}

  __device__ QueryTile first() const { return visible({block_.first_run, begin_of(block_.first_run), 0}); }
  __device__ QueryTile after(QueryTile tile) const {
    if (++tile.head < group_) {
      return tile;
    }
    tile.head = 0;
    tile.begin += kQueryRows;
    if (tile.begin >= in_.runs[tile.run].end) {
      ++tile.run;
      tile.begin = begin_of(tile.run);
    }
    return visible(tile);
  }
  __device__ bool is_end(const QueryTile& tile) const { return tile.run == block_.last_run; }
  __device__ int end(const QueryTile& tile) const {
    return min(tile.begin + kQueryRows, in_.runs[tile.run].end);
  }
  __device__ int head(const QueryTile& tile, int key_head) const {
    return key_head * group_ + tile.head;
  }
  // Whether some query does not see some key.
  __device__ bool needs_mask(const QueryTile& tile) const {
    const QueryRun& run = in_.runs[tile.run];
    const int end_of_keys = block_.begin + block_.count;
    const bool all_in_context =
        block_.begin >= run.context_begin && end_of_keys <= run.context_end;
    const bool all_before = block_.begin >= run.own_begin && end_of_keys <= tile.begin + 1;
    return in_.window > 0 || end(tile) - tile.begin < kQueryRows ||
           !(all_in_context || all_before);
  }
  __device__ bool sees(const QueryTile& tile, int query, int key) const {
    const QueryRun& run = in_.runs[tile.run];
    const bool in_context = key >= run.context_begin && key < run.context_end;
    return query < run.end && key < block_.begin + block_.count &&
           (in_context || (key >= run.own_begin && key <= query)) &&
           (in_.window == 0 || in_.positions[key] > in_.positions[query] - in_.window);
  }

 private:
  __device__ int begin_of(int run) const {
    return run == block_.last_run ? 0 : in_.runs[run].begin;
  }
  // Positions rise along a run: beyond the window of the last key no query of it sees any.
  __device__ QueryTile visible(QueryTile tile) const {
    while (in_.window > 0 && !is_end(tile) &&
           in_.positions[tile.begin] - in_.window >=
               in_.positions[block_.begin + block_.count - 1]) {
      ++tile.run;
      tile = {tile.run, begin_of(tile.run), 0};
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
__global__ void __launch_bounds__(kAttentionThreads)
    key_kernel(AttentionInput in, Gradients gradients) {
  extern __shared__ __align__(128) unsigned char shared[];
  const KeyBlock block = in.key_blocks[blockIdx.x];
  const int key_head = blockIdx.y;
  const auto* qkv = static_cast<const __nv_bfloat16*>(in.qkv.data);
  const std::int64_t out_stride = std::int64_t{in.query_heads} * E;
  const int warp_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;
  const int lane = static_cast<int>(threadIdx.x) % 32;

  const SharedTile<E> keys{shared_address(shared)};
  const SharedTile<E> values{keys.address + kBlockRows * E * 2};
  unsigned char* rest = shared + 2 * kBlockRows * E * 2;
  auto* numbers = reinterpret_cast<float*>(rest + 4 * kQueryRows * E * 2);
  const auto stage_of = [&](int index) {
    const SharedTile<E> queries{shared_address(rest) + index * 2 * kQueryRows * E * 2};
    return QueryStage<E>{queries, {queries.address + kQueryRows * E * 2},
                         numbers + index * 2 * kQueryRows, numbers + (index * 2 + 1) * kQueryRows};
  };
  const HeadColumns of_keys = columns_of(in, key_head, key_head);
  keys.template start_copy<kBlockRows, kAttentionThreads>(
      qkv + block.begin * of_keys.stride + of_keys.key, of_keys.stride, block.count);
  values.template start_copy<kBlockRows, kAttentionThreads>(
      qkv + block.begin * of_keys.stride + of_keys.value, of_keys.stride, block.count);

  const QueryTiles tiles(in, block);
  const auto start_tile = [&](const QueryTile& at, const QueryStage<E>& stage) {
    const int head = tiles.head(at, key_head);
    const HeadColumns columns = columns_of(in, head, key_head);
    const int count = tiles.end(at) - at.begin;
    stage.queries.template start_copy<kQueryRows, kAttentionThreads>(
        qkv + at.begin * columns.stride + columns.query, columns.stride, count);
    stage.douts.template start_copy<kQueryRows, kAttentionThreads>(
        gradients.dout + at.begin * out_stride + head * E, out_stride, count);
    if (threadIdx.x < 2 * kQueryRows) {
      const int row = static_cast<int>(threadIdx.x) % kQueryRows;
      const bool is_delta = threadIdx.x >= kQueryRows;
      const bool is_there = row < count;
      const std::int64_t place =
          std::int64_t{head} * in.tokens + at.begin + (is_there ? row : 0);
      start_copy_float(shared_address((is_delta ? stage.delta : stage.lse) + row),
                       (is_delta ? gradients.delta : gradients.lse) + place, is_there);
    }
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

    FragmentC p[kQueryParts] = {};
    FragmentC ds[kQueryParts] = {};
#pragma unroll
    for (int k = 0; k < E / 16; ++k) {
      const FragmentA key = keys.load_a(warp_row, k * 16);
      const FragmentA value = values.load_a(warp_row, k * 16);
#pragma unroll
      for (int n = 0; n < kQueryParts; n += 2) {
        FragmentB b[2];
        stage.queries.load_b_transposed(b, n * 8, k * 16);
        multiply_add(p[n], key, b[0]);
        multiply_add(p[n + 1], key, b[1]);
        stage.douts.load_b_transposed(b, n * 8, k * 16);
        multiply_add(ds[n], value, b[0]);
        multiply_add(ds[n + 1], value, b[1]);
      }
    }
    const bool mask = tiles.needs_mask(tile);
#pragma unroll
    for (int n = 0; n < kQueryParts; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int column = n * 8 + lane % 4 * 2 + i % 2;
        float probability =
            exp2f(p[n].x[i] * (scale * kLog2E) - stage.lse[column] * kLog2E);
        if (mask && !tiles.sees(tile, tile.begin + column,
                                block.begin + warp_row + lane / 4 + i / 2 * 8)) {
          probability = 0.0F;
        }
        p[n].x[i] = probability;
        ds[n].x[i] = probability * (ds[n].x[i] - stage.delta[column]);
      }
    }
#pragma unroll
    for (int k = 0; k < kQueryParts / 2; ++k) {
      multiply_by_tile<E>(dv, round_to_a(p[2 * k], p[2 * k + 1]), stage.douts, k * 16);
      multiply_by_tile<E>(dk, round_to_a(ds[2 * k], ds[2 * k + 1]), stage.queries, k * 16);
    }
    __syncthreads();
    tile = next;
  }
  wait_for_copies<0>();
  __nv_bfloat16* out = gradients.dqkv + (block.begin + warp_row) * of_keys.stride;
  store_rows<E>(out + of_keys.key, of_keys.stride, dk, scale, scale, block.count - warp_row);
  store_rows<E>(out + of_keys.value, of_keys.stride, dv, 1.0F, 1.0F, block.count - warp_row);
}

template <int E>
void launch(cudaStream_t stream, const AttentionInput& in, const Gradients& gradients) {
  const dim3 queries(static_cast<unsigned>(in.query_block_count),
                     static_cast<unsigned>(in.query_heads));
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
