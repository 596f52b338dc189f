// What the tensor cores' attention kernels share. A block is four warps, each with 16 rows of the
// 64 that the block computes; what it goes through comes in tiles, the next copied while one is
// used.
#pragma once

#include "ops/cuda/device_code.cuh"
#include "ops/cuda/tensor_core.cuh"

namespace lmpo::cuda {

constexpr int kAttentionThreads = 128;
constexpr int kWarpRows = 16;
constexpr int kBlockRows = attention_block;
static_assert(kBlockRows == kAttentionThreads / 32 * kWarpRows);
constexpr float kLog2E = 1.44269504088896340736F;

// Where heads lie in qkv and in tensors like it.
struct HeadColumns {
  std::int64_t stride;  // between rows
  std::int64_t query;
  std::int64_t key;
  std::int64_t value;
};
__device__ inline HeadColumns columns_of(const AttentionInput& in, int head, int key_head) {
  const std::int64_t size = in.head_size;
  return {(in.query_heads + 2 * in.key_heads) * size, head * size,
          (in.query_heads + key_head) * size, (in.query_heads + in.key_heads + key_head) * size};
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
  __device__ bool sees(int tile, int query, int key, const std::int32_t* positions,
                       int window) const {
    return key < end(tile) && (is_context(tile) || key <= query) &&
           (window == 0 || positions[key] > positions[query] - window);
  }
};

// c[n] += a row-block of 16 rows times the transposes of the tile's rows [row, row + 8 count).
template <int E, int count>
__device__ inline void multiply_by_rows(FragmentC (&c)[count], const FragmentA (&a)[E / 16],
                                        const SharedTile<E>& tile, int row) {
#pragma unroll
  for (int k = 0; k < E / 16; ++k) {
#pragma unroll
    for (int n = 0; n < count; n += 2) {
      FragmentB b[2];
      tile.load_b_transposed(b, row + n * 8, k * 16);
      multiply_add(c[n], a[k], b[0]);
      multiply_add(c[n + 1], a[k], b[1]);
    }
  }
}

// c += a[16, 16] times the tile's rows [row, row + 16).
template <int E>
__device__ inline void multiply_by_tile(FragmentC (&c)[E / 8], const FragmentA& a,
                                        const SharedTile<E>& tile, int row) {
#pragma unroll
  for (int n = 0; n < E / 8; n += 2) {
    FragmentB b[2];
    tile.load_b(b, row, n * 8);
    multiply_add(c[n], a, b[0]);
    multiply_add(c[n + 1], a, b[1]);
  }
}

// c times factor to rows g and g + 8 of out, where they are below `rows`.
template <int E>
__device__ inline void store_rows(__nv_bfloat16* out, std::int64_t stride, const FragmentC (&c)[E / 8],
                                  float factor_upper, float factor_lower, int rows) {
  const int lane = threadIdx.x % 32;
  const int upper = lane / 4;
  const int lower = upper + 8;
#pragma unroll
  for (int n = 0; n < E / 8; ++n) {
    const int column = n * 8 + lane % 4 * 2;
    if (upper < rows) {
      *reinterpret_cast<std::uint32_t*>(out + upper * stride + column) =
          pack_bf16(c[n].x[0] * factor_upper, c[n].x[1] * factor_upper);
    }
    if (lower < rows) {
      *reinterpret_cast<std::uint32_t*>(out + lower * stride + column) =
          pack_bf16(c[n].x[2] * factor_lower, c[n].x[3] * factor_lower);
    }
  }
}

// Launches a kernel that needs more than 48 KB of shared memory.
template <typename Kernel, typename... Arguments>
void launch_with_shared(Kernel kernel, dim3 grid, std::size_t bytes, cudaStream_t stream,
                        Arguments... arguments) {
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                       static_cast<int>(bytes));
  kernel<<<grid, kAttentionThreads, bytes, stream>>>(arguments...);
}

}  // namespace lmpo::cuda
