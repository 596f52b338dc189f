// Attention of new tokens over a cache: a block for each of their heads, whose warps take the slots
// in turn.
#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kMost = 16;  // numbers of a head that a lane holds: head sizes up to 512

// One head of one query over the slots [first, last]: out[E] for query[E]. place_of(slot) is where
// the head's key and value begin in the caches; below 0 is nowhere and makes the result NaN.
template <typename T, typename Rule, typename Place>
__device__ void attend(const Rule& rule, T* out, const T* query, const T* cache_k, const T* cache_v,
                       int size, int first, int last, const Place& place_of) {
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  float maximum = -INFINITY;
  float total = 0.0F;
  float sums[kMost] = {};
  for (int slot = first + warp; slot <= last; slot += kWarps) {
    const std::int64_t place = place_of(slot);
    float score = place < 0 ? NAN : 0.0F;
#pragma unroll
    for (int i = 0; i < kMost; ++i) {
      const int e = i * 32 + lane;
      score += e < size && place >= 0 ? widen(query[e]) * widen(cache_k[place + e]) : 0.0F;
    }
    score = rule.score(warp_sum(score));
    const float higher = fmaxf(maximum, score);
    const float keep = expf(maximum - higher);
    const float weight = expf(score - higher);
    maximum = higher;
    total = total * keep + weight;
#pragma unroll
    for (int i = 0; i < kMost; ++i) {
      const int e = i * 32 + lane;
      sums[i] =
          sums[i] * keep + (e < size && place >= 0 ? weight * widen(cache_v[place + e]) : 0.0F);
    }
  }

  // The warps' results, put together in their order.
  auto* const shared = reinterpret_cast<float*>(dynamic_shared());
  float* maxima = shared;
  float* totals = shared + kWarps;
  float* all_sums = shared + 2 * kWarps;  // [kWarps, E]
#pragma unroll
  for (int i = 0; i < kMost; ++i) {
    const int e = i * 32 + lane;
    if (e < size) {
      all_sums[warp * size + e] = sums[i];
    }
  }
  if (lane == 0) {
    maxima[warp] = maximum;
    totals[warp] = total;
  }
  __syncthreads();
  float highest = maxima[0];
  for (int w = 1; w < kWarps; ++w) {
    highest = fmaxf(highest, maxima[w]);
  }
  for (int e = threadIdx.x; e < size; e += kThreads) {
    float sum = 0.0F;
    float whole = 0.0F;
    for (int w = 0; w < kWarps; ++w) {
      const float factor = totals[w] == 0.0F ? 0.0F : expf(maxima[w] - highest);
      sum += factor * all_sums[w * size + e];
      whole += factor * totals[w];
    }
    out[e] = narrow<T>(sum / whole);
  }
}

// Grid: tokens.
template <typename T>
__global__ void store_pages_kernel(T* cache_k, T* cache_v, const T* qkv, const std::int32_t* slots,
                                   PagesShape shape) {
  const std::int64_t row = blockIdx.x;
  const std::int64_t slot = slots[row];
  const std::int64_t width = std::int64_t{shape.key_heads} * shape.head_size;
  if (slot < 0 || slot >= shape.pages * shape.slots) {
    return;
  }
  const T* keys = qkv + row * (shape.query_heads + 2 * shape.key_heads) * shape.head_size +
                  std::int64_t{shape.query_heads} * shape.head_size;
  for (std::int64_t i = threadIdx.x; i < width; i += kThreads) {
    cache_k[slot * width + i] = keys[i];
    cache_v[slot * width + i] = keys[width + i];
  }
}

// The last of `count` sequences that begins at a row or before it; 0 where none does.
__device__ inline int sequence_of(int row, const std::int32_t* begins, int count) {
  int first = 0;
  int last = count - 1;
  while (first < last) {
    const int middle = (first + last + 1) / 2;
    if (begins[middle] <= row) {
      first = middle;
    } else {
      last = middle - 1;
    }
  }
  return first;
}

// Grid: rows x query heads.
template <typename T, typename Rule>
__global__ void paged_kernel(Rule rule, T* out, const T* qkv, const T* cache_k, const T* cache_v,
                             PageTable table, PagesShape shape) {
  const int row = blockIdx.x;
  const int head = blockIdx.y;
  const int size = shape.head_size;
  const int key_head = head / (shape.query_heads / shape.key_heads);
  const std::int64_t width = std::int64_t{shape.key_heads} * size;
  const int b = sequence_of(row, table.begins, table.sequences);
  T* result = out + (std::int64_t{row} * shape.query_heads + head) * size;
  const std::int64_t last = std::int64_t{table.lengths[b]} - (table.begins[b + 1] - row);
  if (row < table.begins[b] || row >= table.begins[b + 1] || last < 0 ||
      last >= table.width * shape.slots) {
    for (int e = threadIdx.x; e < size; e += kThreads) {
      result[e] = narrow<T>(NAN);
    }
    return;
  }
  const int first = shape.window > 0 ? max(0, static_cast<int>(last) - shape.window + 1) : 0;
  attend(rule, result,
         qkv + std::int64_t{row} * (shape.query_heads + 2 * shape.key_heads) * size + head * size,
         cache_k, cache_v, size, first, static_cast<int>(last), [&](int position) {
           const std::int64_t page = table.pages[b * table.width + position / shape.slots];
           return page < 0 || page >= shape.pages
                      ? std::int64_t{-1}
                      : (page * shape.slots + position % shape.slots) * width + key_head * size;
         });
}

}  // namespace

void store_pages(cudaStream_t stream, Typed cache_k, Typed cache_v, Typed qkv,
                 const std::int32_t* slots, std::int64_t tokens, const PagesShape& shape) {
  with_compute(qkv.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_kernel(store_pages_kernel<T>, {static_cast<unsigned>(tokens), kThreads}, stream,
                  as<T>(cache_k), as<T>(cache_v), as<T>(qkv), slots, shape);
  });
}

void attention_paged(cudaStream_t stream, Typed out, Typed qkv, Typed cache_k, Typed cache_v,
                     std::int64_t tokens, const PageTable& table, const PagesShape& shape) {
  const dim3 grid(static_cast<unsigned>(tokens), static_cast<unsigned>(shape.query_heads));
  const std::size_t bytes =
      sizeof(float) * kWarps * (2 + static_cast<std::size_t>(shape.head_size));
  with_compute(qkv.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    with_score_rule(shape.scale, shape.softcap, [&](auto rule) {
      launch_kernel(paged_kernel<T, decltype(rule)>, {grid, kThreads, bytes}, stream, rule,
                    as<T>(out), as<T>(qkv), as<T>(cache_k), as<T>(cache_v), table, shape);
    });
  });
}

}  // namespace lmpo::cuda
