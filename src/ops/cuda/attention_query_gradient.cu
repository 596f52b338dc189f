// The gradient of attention_forward.cu for queries: a block of queries goes through its keys and
// computes the probabilities again from lse.
//
//   p = exp(s - lse)     ds = p (dout v^T - delta)     dq = ds k
#include "ops/cuda/attention_fast.cuh"

namespace lmpo::cuda {
namespace {

// Keys at a time: fewer than a tile, for registers' sake.
constexpr int kKeyParts = 4;

// Of the two rows of a lane.
struct RowNumbers {
  int query[2];
  float lse_log2[2];
  float delta[2];

  // A row that is not there gets probabilities of zero.
  __device__ RowNumbers(const AttentionInput& in, const QueryRows& rows, int lane_row,
                        const float* lse, const float* all_delta) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = lane_row + half * 8;
      const bool is_there = rows.has(row);
      query[half] = is_there ? rows.query(row) : rows.begin;
      const std::int64_t place = std::int64_t{rows.head(row)} * in.tokens + query[half];
      lse_log2[half] = is_there ? lse[place] * kLog2E : INFINITY;
      delta[half] = is_there ? all_delta[place] : 0.0F;
    }
  }
};

// From products q.k and dout v^T in ds to the products' gradients in units of the scale, which are
// zero where a query does not see the key. `first_key` is that of the lane's first column.
template <typename Units, typename Visible>
__device__ inline void score_gradients(FragmentC (&ds)[kKeyParts],
                                       const FragmentC (&products)[kKeyParts],
                                       const RowNumbers& row, const Visible (&keys)[2],
                                       int first_key, const Units& units) {
#pragma unroll
  for (int n = 0; n < kKeyParts; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int half = i / 2;
      const int key = first_key + n * 8 + i % 2;
      const float score = units.of(products[n].x[i]);
      const float p = fast_exp2(score * units.exponent() - row.lse_log2[half]);
      const bool sees = key >= keys[half].first && key < keys[half].last;
      ds[n].x[i] = sees ? p * (ds[n].x[i] - row.delta[half]) * units.slope(score) : 0.0F;
    }
  }
}

// Grid: query blocks x blocks of heads.
template <int E, typename Units>
__global__ void __launch_bounds__(kAttentionThreads, 2)
    query_kernel(const __grid_constant__ AttentionInput in, Units units, __nv_bfloat16* dqkv,
                 const __nv_bfloat16* dout, const float* lse, const float* delta) {
  unsigned char* const shared = dynamic_shared();
  const QueryBlock block = in.query_blocks[blockIdx.x];
  const QueryRows rows(in, block, static_cast<int>(blockIdx.y));
  const KeyPipeline<E> pipeline(in, block, rows.first_head / (in.query_heads / in.key_heads),
                                shared_address(shared));
  const auto& tiles = pipeline.tiles();
  const int warp_row = static_cast<int>(threadIdx.x) / 32 * kWarpRows;
  const typename SharedTile<E>::LanePlaces lane;
  const QueryOffsets<E> query_offsets{rows, row_stride(in)};

  const SharedTile<E> query_tile = pipeline.own_tile(0);
  const SharedTile<E> dout_tile = pipeline.own_tile(1);
  query_tile.template start_copy<kBlockRows, kAttentionThreads>(
      static_cast<const __nv_bfloat16*>(in.qkv.data), query_offsets);
  dout_tile.template start_copy<kBlockRows, kAttentionThreads>(
      dout, QueryOffsets<E>{rows, std::int64_t{in.query_heads} * E});
  end_copy_group();
  pipeline.start();
  wait_for_copies<1>();
  __syncthreads();
  const WarpRows<E> queries(query_tile, lane, warp_row);
  const WarpRows<E> douts(dout_tile, lane, warp_row);
  __syncthreads();

  const RowNumbers numbers(in, rows, warp_row + static_cast<int>(threadIdx.x) % 32 / 4, lse, delta);
  FragmentC sums[E / 8] = {};
  pipeline.run([&](int tile, const KeyStage<E>& stage) {
    using Visible = typename KeyTiles<kTileRows<E>>::Visible;
    const Visible keys[2] = {tiles.visible(tile, numbers.query[0], in.positions, in.window),
                             tiles.visible(tile, numbers.query[1], in.positions, in.window)};
    const int count = tiles.end(tile) - tiles.begin(tile);
#pragma unroll 1
    for (int part = 0; part < count; part += kKeyParts * 8) {
      FragmentC products[kKeyParts] = {};
      FragmentC ds[kKeyParts] = {};
      multiply_by_rows<E>(products, queries, stage.keys, lane, part);
      multiply_by_rows<E>(ds, douts, stage.values, lane, part);
      score_gradients(ds, products, numbers, keys,
                      tiles.begin(tile) + part + static_cast<int>(threadIdx.x) % 4 * 2, units);
#pragma unroll
      for (int k = 0; k < kKeyParts / 2; ++k) {
        multiply_by_tile<E>(sums, round_to_a(ds[2 * k], ds[2 * k + 1]), stage.keys, lane,
                            part + k * 16);
      }
    }
  });
  const float factors[2] = {in.scale, in.scale};
  store_rows<E>(dqkv, sums, factors, warp_row, query_offsets);
}

}  // namespace

void attention_query_gradient(cudaStream_t stream, const AttentionInput& in, Typed dqkv, Typed dout,
                              const float* lse, const float* delta) {
  const dim3 grid(static_cast<unsigned>(in.query_block_count), head_blocks(in));
  with_fast_head_size(in.head_size, [&](auto size) {
    with_score_units(in, [&](auto units) {
      constexpr int kSize = decltype(size)::value;
      launch_kernel(query_kernel<kSize, decltype(units)>,
                    {grid, kAttentionThreads, KeyPipeline<kSize>::shared_bytes(2)}, stream, in,
                    units, as<__nv_bfloat16>(dqkv), as<__nv_bfloat16>(dout), lse, delta);
    });
  });
}

}  // namespace lmpo::cuda
