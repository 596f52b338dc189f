// Attention for any head size and type: a warp for each query or key. Right before fast; the tensor
// cores' kernels are in attention_forward.cu and attention_*_gradient.cu.
#include "ops/cuda/device_code.cuh"

namespace lmpo::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr int kMost = 16;  // numbers of a head that a lane holds: head sizes up to 512

// One head of one row, spread over a warp.
struct Vector {
  float x[kMost];
};

template <typename T>
__device__ inline Vector load(const T* x, int size) {
  Vector v;
#pragma unroll
  for (int i = 0; i < kMost; ++i) {
    const int e = i * 32 + threadIdx.x % 32;
    v.x[i] = e < size ? widen(x[e]) : 0.0F;
  }
  return v;
}

template <typename T>
__device__ inline void store(T* x, const Vector& v, int size, float factor) {
#pragma unroll
  for (int i = 0; i < kMost; ++i) {
    const int e = i * 32 + threadIdx.x % 32;
    if (e < size) {
      x[e] = narrow<T>(v.x[i] * factor);
    }
  }
}

__device__ inline float dot(const Vector& a, const Vector& b) {
  float sum = 0.0F;
#pragma unroll
  for (int i = 0; i < kMost; ++i) {
    sum += a.x[i] * b.x[i];
  }
  return warp_sum(sum);
}

// a += factor b.
__device__ inline void add_scaled(Vector& a, float factor, const Vector& b) {
#pragma unroll
  for (int i = 0; i < kMost; ++i) {
    a.x[i] += factor * b.x[i];
  }
}

template <typename T>
struct Rows {
  const T* qkv;
  int query_heads;
  int key_heads;
  int size;

  __device__ std::int64_t place(std::int64_t row, int head) const {
    return (row * (query_heads + 2 * key_heads) + head) * size;
  }
  __device__ std::int64_t key_place(std::int64_t row, int key_head) const {
    return place(row, query_heads + key_head);
  }
  __device__ std::int64_t value_place(std::int64_t row, int key_head) const {
    return place(row, query_heads + key_heads + key_head);
  }
};

template <typename T>
Rows<T> rows_of(const AttentionInput& in) {
  return {as<T>(in.qkv), in.query_heads, in.key_heads, in.head_size};
}

__device__ inline bool in_window(const std::int32_t* positions, int query, int key, int window) {
  return window == 0 || positions[key] > positions[query] - window;
}

// body(key) for every key that the query sees.
template <typename Body>
__device__ inline void for_keys(const QueryBlock& block, int query, const std::int32_t* positions,
                                int window, const Body& body) {
  for (int key = block.context_begin; key < block.context_end; ++key) {
    if (in_window(positions, query, key, window)) {
      body(key);
    }
  }
  for (int key = block.own_begin; key <= query; ++key) {
    if (in_window(positions, query, key, window)) {
      body(key);
    }
  }
}

// Grid: query blocks x query heads; a block's warps take its queries in turn.
template <typename T, typename Rule>
__global__ void forward_kernel(Rows<T> rows, Rule rule, AttentionInput in, T* out, float* lse) {
  const QueryBlock block = in.query_blocks[blockIdx.x];
  const int head = blockIdx.y;
  const int key_head = head / (rows.query_heads / rows.key_heads);
  for (int i = threadIdx.x / 32; i < block.count; i += kWarps) {
    const int query = block.begin + i;
    const Vector q = load(rows.qkv + rows.place(query, head), rows.size);
    Vector sum = {};
    float maximum = -INFINITY;
    float total = 0.0F;
    for_keys(block, query, in.positions, in.window, [&](int key) {
      const float score =
          rule.score(dot(q, load(rows.qkv + rows.key_place(key, key_head), rows.size)));
      const float higher = fmaxf(maximum, score);
      const float keep = expf(maximum - higher);
      const float weight = expf(score - higher);
      maximum = higher;
      total = total * keep + weight;
#pragma unroll
      for (float& x : sum.x) {
        x *= keep;
      }
      add_scaled(sum, weight, load(rows.qkv + rows.value_place(key, key_head), rows.size));
    });
    store(out + (std::int64_t{query} * rows.query_heads + head) * rows.size, sum, rows.size,
          1.0F / total);
    if (threadIdx.x % 32 == 0) {
      lse[std::int64_t{head} * in.tokens + query] = maximum + logf(total);
    }
  }
}

template <typename T>
struct Gradient {
  T* dqkv;
  const T* dout;
  const float* lse;
  const float* delta;
};

template <typename T, typename Rule>
__global__ void query_gradient_kernel(Rows<T> rows, Rule rule, AttentionInput in, Gradient<T> g) {
  const QueryBlock block = in.query_blocks[blockIdx.x];
  const int head = blockIdx.y;
  const int key_head = head / (rows.query_heads / rows.key_heads);
  for (int i = threadIdx.x / 32; i < block.count; i += kWarps) {
    const int query = block.begin + i;
    const std::int64_t statistic = std::int64_t{head} * in.tokens + query;
    const Vector q = load(rows.qkv + rows.place(query, head), rows.size);
    const Vector dout =
        load(g.dout + (std::int64_t{query} * rows.query_heads + head) * rows.size, rows.size);
    Vector dq = {};
    for_keys(block, query, in.positions, in.window, [&](int key) {
      const Vector k = load(rows.qkv + rows.key_place(key, key_head), rows.size);
      const Vector v = load(rows.qkv + rows.value_place(key, key_head), rows.size);
      const float score = rule.score(dot(q, k));
      const float p = expf(score - g.lse[statistic]);
      const float ds = p * (dot(dout, v) - g.delta[statistic]);
      add_scaled(dq, ds * rule.slope(score), k);
    });
    store(g.dqkv + rows.place(query, head), dq, rows.size, rule.scale);
  }
}

// Grid: key blocks x key heads; a block's warps take its keys in turn.
template <typename T, typename Rule>
__global__ void key_gradient_kernel(Rows<T> rows, Rule rule, AttentionInput in, Gradient<T> g) {
  const KeyBlock block = in.key_blocks[blockIdx.x];
  const int key_head = blockIdx.y;
  const int group = rows.query_heads / rows.key_heads;
  for (int i = threadIdx.x / 32; i < block.count; i += kWarps) {
    const int key = block.begin + i;
    const Vector k = load(rows.qkv + rows.key_place(key, key_head), rows.size);
    const Vector v = load(rows.qkv + rows.value_place(key, key_head), rows.size);
    Vector dk = {};
    Vector dv = {};
    for (int r = block.first_run; r < block.last_run; ++r) {
      const QueryRun run = in.runs[r];
      const bool in_context = key >= run.context_begin && key < run.context_end;
      if (!in_context && key < run.own_begin) {
        continue;
      }
      for (int query = in_context ? run.begin : max(run.begin, key); query < run.end; ++query) {
        if (!in_window(in.positions, query, key, in.window)) {
          continue;
        }
        for (int head = key_head * group; head < (key_head + 1) * group; ++head) {
          const std::int64_t statistic = std::int64_t{head} * in.tokens + query;
          const Vector q = load(rows.qkv + rows.place(query, head), rows.size);
          const Vector dout =
              load(g.dout + (std::int64_t{query} * rows.query_heads + head) * rows.size, rows.size);
          const float score = rule.score(dot(q, k));
          const float p = expf(score - g.lse[statistic]);
          const float ds = p * (dot(dout, v) - g.delta[statistic]);
          add_scaled(dv, p, dout);
          add_scaled(dk, ds * rule.slope(score), q);
        }
      }
    }
    store(g.dqkv + rows.key_place(key, key_head), dk, rows.size, rule.scale);
    store(g.dqkv + rows.value_place(key, key_head), dv, rows.size, 1.0F);
  }
}

constexpr int kDeltaLanes = 16;  // for each head of a row, eight numbers a lane at a time

template <typename T>
__global__ void delta_kernel(float* delta, const T* dout, const T* out, std::int64_t tokens,
                             std::int64_t heads, int size, bool aligned) {
  const std::int64_t item =
      (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) / kDeltaLanes;  // head within row
  const int lane = static_cast<int>(threadIdx.x) % kDeltaLanes;
  const bool is_there = item < tokens * heads;
  float sum = 0.0F;
  for (int e = lane * kEight; is_there && e < size; e += kDeltaLanes * kEight) {
    float x[kEight];
    float y[kEight];
    load_eight(x, dout + item * size + e, aligned, size - e);
    load_eight(y, out + item * size + e, aligned, size - e);
#pragma unroll
    for (int i = 0; i < kEight; ++i) {
      sum += x[i] * y[i];
    }
  }
#pragma unroll
  for (int step = kDeltaLanes / 2; step > 0; step /= 2) {
    sum += __shfl_xor_sync(0xFFFFFFFFU, sum, step);
  }
  if (is_there && lane == 0) {
    delta[item % heads * tokens + item / heads] = sum;
  }
}

}  // namespace

void attention_forward_general(cudaStream_t stream, const AttentionInput& in, Typed out,
                               float* lse) {
  const dim3 grid(static_cast<unsigned>(in.query_block_count),
                  static_cast<unsigned>(in.query_heads));
  with_compute(in.qkv.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    with_score_rule(in.scale, in.softcap, [&](auto rule) {
      launch_kernel(forward_kernel<T, decltype(rule)>, {grid, kThreads}, stream, rows_of<T>(in),
                    rule, in, as<T>(out), lse);
    });
  });
}

void attention_delta(cudaStream_t stream, float* delta, Typed dout, Typed out, std::int64_t tokens,
                     std::int64_t heads, std::int64_t head_size) {
  with_compute(out.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch_kernel(delta_kernel<T>, {blocks_for(tokens * heads * kDeltaLanes, kThreads), kThreads},
                  stream, delta, as<T>(dout), as<T>(out), tokens, heads,
                  static_cast<int>(head_size), rows_aligned(head_size, dout.data, out.data));
  });
}

void attention_backward_general(cudaStream_t stream, const AttentionInput& in, Typed dqkv,
                                Typed dout, const float* lse, const float* delta) {
  const dim3 queries(static_cast<unsigned>(in.query_block_count),
                     static_cast<unsigned>(in.query_heads));
  const dim3 keys(static_cast<unsigned>(in.key_block_count), static_cast<unsigned>(in.key_heads));
  with_compute(in.qkv.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Gradient<T> gradient{as<T>(dqkv), as<T>(dout), lse, delta};
    with_score_rule(in.scale, in.softcap, [&](auto rule) {
      using Rule = decltype(rule);
      launch_kernel(query_gradient_kernel<T, Rule>, {queries, kThreads}, stream, rows_of<T>(in),
                    rule, in, gradient);
      launch_kernel(key_gradient_kernel<T, Rule>, {keys, kThreads}, stream, rows_of<T>(in), rule,
                    in, gradient);
    });
  });
}

}  // namespace lmpo::cuda
