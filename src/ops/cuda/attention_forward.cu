// Attention by the tensor cores, after FlashAttention-2 (Dao 2023): a block of queries goes through
// its keys tile by tile with a running maximum and sum.
#include "ops/cuda/attention_fast.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kForwardBlocks = 2;  // on a multiprocessor at once: three spill registers for nothing

// The running softmax of rows g and g + 8 of a warp; each lane holds its own columns' share of sum.
template <int key_parts>
struct RunningSoftmax {
  float maximum[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0.0F, 0.0F};

  // Scores become probabilities up to the final sum, 2^(score exponent); what was accumulated before
  // is to be multiplied by keep.
  __device__ void take(FragmentC (&scores)[key_parts], float (&keep)[2], float exponent) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float highest = maximum[half];
#pragma unroll
      for (const FragmentC& c : scores) {
        highest = fmaxf(highest, fmaxf(c.x[2 * half], c.x[2 * half + 1]));
      }
      highest = fmaxf(highest, __shfl_xor_sync(0xFFFFFFFFU, highest, 1));
      highest = fmaxf(highest, __shfl_xor_sync(0xFFFFFFFFU, highest, 2));
      // A row that has seen no key yet: its probabilities are exp(-infinity), not NaN.
      const float base = highest == -INFINITY ? 0.0F : highest * exponent;
      keep[half] = fast_exp2(maximum[half] * exponent - base);
      float total = 0.0F;
#pragma unroll
      for (FragmentC& c : scores) {
#pragma unroll
        for (int i = 2 * half; i < 2 * half + 2; ++i) {
          c.x[i] = fast_exp2(c.x[i] * exponent - base);
          total += c.x[i];
        }
      }
      sum[half] = sum[half] * keep[half] + total;
      maximum[half] = highest;
    }
  }

  // The whole row's sum in every lane.
  __device__ float total(int half) const {
    float x = sum[half];
    x += __shfl_xor_sync(0xFFFFFFFFU, x, 1);
    x += __shfl_xor_sync(0xFFFFFFFFU, x, 2);
    return x;
  }
};

// Scores of keys that their queries do not see become -infinity.
template <int tile_rows>
__device__ inline void hide(FragmentC (&scores)[tile_rows / 8], const KeyTiles<tile_rows>& tiles,
                            int tile, const QueryRows& rows, int lane_row,
                            const AttentionInput& in) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = lane_row + half * 8;
    const int query = rows.has(row) ? rows.query(row) : rows.begin;
    const auto keys = tiles.visible(tile, query, in.positions, in.window);
    const int first_key = tiles.begin(tile) + static_cast<int>(threadIdx.x) % 4 * 2;
#pragma unroll
    for (int n = 0; n < tile_rows / 8; ++n) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int key = first_key + n * 8 + i;
        float& score = scores[n].x[2 * half + i];
        score = key >= keys.first && key < keys.last ? score : -INFINITY;
      }
    }
  }
}

// Grid: query blocks x blocks of heads.
template <int E, typename Units>
__global__ void __launch_bounds__(kAttentionThreads, kForwardBlocks)
    forward_kernel(const __grid_constant__ AttentionInput in, Units units, __nv_bfloat16* out,
                   float* lse) {
  constexpr int kKeyParts = kTileRows<E> / 8;
  unsigned char* const shared = dynamic_shared();
  const QueryBlock block = in.query_blocks[blockIdx.x];
  const QueryRows rows(in, block, static_cast<int>(blockIdx.y));
  const KeyPipeline<E> pipeline(in, block, rows.first_head / (in.query_heads / in.key_heads),
                                shared_address(shared));
  const int warp_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;
  const int lane_row = warp_row + static_cast<int>(threadIdx.x) % 32 / 4;
  const typename SharedTile<E>::LanePlaces lane;

  const SharedTile<E> query_tile = pipeline.own_tile(0);
  query_tile.template start_copy<kBlockRows, kAttentionThreads>(
      static_cast<const __nv_bfloat16*>(in.qkv.data), QueryOffsets<E>{rows, row_stride(in)});
  end_copy_group();
  pipeline.start();
  wait_for_copies<1>();
  __syncthreads();
  const WarpRows<E> queries(query_tile, lane, warp_row);
  __syncthreads();

  RunningSoftmax<kKeyParts> softmax;
  FragmentC sums[E / 8] = {};
  pipeline.run([&](int tile, const KeyStage<E>& stage) {
    FragmentC scores[kKeyParts] = {};
    multiply_by_rows<E>(scores, queries, stage.keys, lane, 0);
    if constexpr (Units::kIsCapped) {
#pragma unroll
      for (FragmentC& c : scores) {
#pragma unroll
        for (float& x : c.x) {
          x = units.of(x);
        }
      }
    }
    if (pipeline.tiles().needs_mask(tile, in.window)) {
      hide(scores, pipeline.tiles(), tile, rows, lane_row, in);
    }
    float keep[2];
    softmax.take(scores, keep, units.exponent());
#pragma unroll
    for (FragmentC& c : sums) {
      c.x[0] *= keep[0];
      c.x[1] *= keep[0];
      c.x[2] *= keep[1];
      c.x[3] *= keep[1];
    }
#pragma unroll
    for (int k = 0; k < kKeyParts / 2; ++k) {
      multiply_by_tile<E>(sums, round_to_a(scores[2 * k], scores[2 * k + 1]), stage.values, lane,
                          k * 16);
    }
  });

  const float totals[2] = {softmax.total(0), softmax.total(1)};
  const float factors[2] = {1.0F / totals[0], 1.0F / totals[1]};
  store_rows<E>(out, sums, factors, warp_row,
                QueryOffsets<E>{rows, std::int64_t{in.query_heads} * E});
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int row = lane_row + half * 8;
    if (threadIdx.x % 4 == 0 && rows.has(row)) {
      lse[std::int64_t{rows.head(row)} * in.tokens + rows.query(row)] =
          softmax.maximum[half] * units.unit + logf(totals[half]);
    }
  }
}

}  // namespace

bool has_fast_attention(const AttentionInput& in) {
  return in.qkv.dtype == Dtype::bf16 && with_fast_head_size(in.head_size, [](auto) {});
}

void attention_forward(cudaStream_t stream, const AttentionInput& in, Typed out, float* lse) {
  const dim3 grid(static_cast<unsigned>(in.query_block_count), head_blocks(in));
  with_fast_head_size(in.head_size, [&](auto size) {
    with_score_units(in, [&](auto units) {
      constexpr int kSize = decltype(size)::value;
      launch_kernel(forward_kernel<kSize, decltype(units)>,
                    {grid, kAttentionThreads, KeyPipeline<kSize>::shared_bytes(1)}, stream, in,
                    units, as<__nv_bfloat16>(out), lse);
    });
  });
}

}  // namespace lmpo::cuda
