// What happens to a tile of logits: a block for each of its rows.
#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kStride = kThreads * kEight;

__device__ inline std::int64_t first_target(const HeadTargets& targets, std::int64_t row) {
  std::int64_t low = 0;
  std::int64_t high = targets.count;
  while (low < high) {
    const std::int64_t middle = (low + high) / 2;
    if (targets.row[middle] < row) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Once in a kernel: a second call would need a barrier before it.
__device__ inline float block_maximum(float x) {
  __shared__ float of_warps[kThreads / 32];
  x = warp_maximum(x);
  if (threadIdx.x % 32 == 0) {
    of_warps[threadIdx.x / 32] = x;
  }
  __syncthreads();
  x = of_warps[0];
#pragma unroll
  for (int i = 1; i < kThreads / 32; ++i) {
    x = fmaxf(x, of_warps[i]);
  }
  return x;
}

template <typename Rule>
__global__ void forward_kernel(HeadTile tile, const float* products, float* lse, float* sums,
                               float* logp, HeadTargets targets, Rule rule, bool aligned) {
  const std::int64_t row = tile.row + blockIdx.x;
  const float* x = products + blockIdx.x * tile.tokens;
  const float before = tile.is_first ? -INFINITY : lse[row];
  float maximum = before;
  for (std::int64_t i = threadIdx.x * kEight; i < tile.tokens; i += kStride) {
    float values[kEight];
    load_eight(values, x + i, aligned, tile.tokens - i);
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      maximum = i + e < tile.tokens ? fmaxf(maximum, rule.score(values[e])) : maximum;
    }
  }
  maximum = block_maximum(maximum);
  float sum = 0.0F;
  for (std::int64_t i = threadIdx.x * kEight; i < tile.tokens; i += kStride) {
    float values[kEight];
    load_eight(values, x + i, aligned, tile.tokens - i);
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      sum += i + e < tile.tokens ? expf(rule.score(values[e]) - maximum) : 0.0F;
    }
  }
  sum = block_sum(sum);
  if (!tile.is_first) {
    sum += sums[row] * expf(before - maximum);
  }
  if (threadIdx.x != 0) {
    return;
  }
  // In double: the difference of two large numbers would lose the digits of a small one.
  const double log_sum = log(static_cast<double>(sum));
  sums[row] = sum;
  lse[row] = tile.is_last ? static_cast<float>(static_cast<double>(maximum) + log_sum) : maximum;
  for (std::int64_t m = first_target(targets, row); m < targets.count && targets.row[m] == row;
       ++m) {
    const std::int64_t token = targets.token[m] - tile.token;
    float logit = tile.is_first ? NAN : logp[m];  // NAN stays for a token that no tile has
    if (token >= 0 && token < tile.tokens) {
      logit = rule.score(x[token]);
    }
    if (tile.is_last) {
      const double difference = static_cast<double>(logit) - static_cast<double>(maximum);
      logit = static_cast<float>(difference - log_sum);
    }
    logp[m] = logit;
  }
}

// dlogit = dlogp of the row's targets at their tokens, less their sum times the probability.
template <typename T, typename Rule>
__global__ void backward_kernel(HeadTile tile, T* gradients, const float* products,
                                const float* lse, const float* dlogp, HeadTargets targets,
                                Rule rule, bool aligned) {
  const std::int64_t row = tile.row + blockIdx.x;
  const float* x = products + blockIdx.x * tile.tokens;
  T* out = gradients + blockIdx.x * tile.tokens;
  __shared__ std::int64_t first;
  __shared__ std::int64_t last;
  __shared__ float total;
  if (threadIdx.x == 0) {
    first = first_target(targets, row);
    total = 0.0F;
    for (last = first; last < targets.count && targets.row[last] == row; ++last) {
      total += dlogp[last];
    }
  }
  __syncthreads();
  const float row_lse = lse[row];
  for (std::int64_t i = threadIdx.x * kEight; i < tile.tokens; i += kStride) {
    float values[kEight];
    float slopes[kEight];
    load_eight(values, x + i, aligned, tile.tokens - i);
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      const float logit = rule.score(values[e]);
      values[e] = -total * expf(logit - row_lse);
      slopes[e] = rule.scale * rule.slope(logit);
    }
    for (std::int64_t m = first; m < last; ++m) {
      const std::int64_t place = targets.token[m] - tile.token - i;
#pragma unroll
      for (int e = 0; e < kEight; ++e) {
        values[e] += place == e ? dlogp[m] : 0.0F;
      }
    }
#pragma unroll
    for (int e = 0; e < kEight; ++e) {
      values[e] *= slopes[e];
    }
    store_eight(out + i, values, aligned, tile.tokens - i);
  }
}

template <typename Rule>
__global__ void cap_kernel(float* logits, std::int64_t count, Rule rule) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i < count) {
    logits[i] = rule.score(logits[i]);
  }
}

}  // namespace

void head_forward_tile(cudaStream_t stream, const HeadTile& tile, const float* products, float* lse,
                       float* sums, float* logp, const HeadTargets& targets, LogitRule rule) {
  with_score_rule(rule.scale, rule.softcap, [&](auto score) {
    launch_kernel(forward_kernel<decltype(score)>, {static_cast<unsigned>(tile.rows), kThreads},
                  stream, tile, products, lse, sums, logp, targets, score,
                  rows_aligned(tile.tokens, products));
  });
}

void head_backward_tile(cudaStream_t stream, const HeadTile& tile, Typed gradients,
                        const float* products, const float* lse, const float* dlogp,
                        const HeadTargets& targets, LogitRule rule) {
  with_compute(gradients.dtype, [&](auto tag) {
    with_score_rule(rule.scale, rule.softcap, [&](auto score) {
      using T = typename decltype(tag)::type;
      launch_kernel(backward_kernel<T, decltype(score)>,
                    {static_cast<unsigned>(tile.rows), kThreads}, stream, tile, as<T>(gradients),
                    products, lse, dlogp, targets, score,
                    rows_aligned(tile.tokens, products, gradients.data));
    });
  });
}

void cap_logits(cudaStream_t stream, float* logits, std::int64_t count, LogitRule rule) {
  with_score_rule(rule.scale, rule.softcap, [&](auto score) {
    launch_kernel(cap_kernel<decltype(score)>, {blocks_for(count, kThreads), kThreads}, stream,
                  logits, count, score);
  });
}

}  // namespace lmpo::cuda
