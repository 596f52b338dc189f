#include "ops/cpu/attention_block.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "ops/cpu/elements.h"
#include "ops/cpu/matmul.h"

namespace lmpo::cpu {
AttentionBlock::AttentionBlock(const AttentionShape& shape, HeadRows queries, HeadResult out,
                               std::int64_t count)
    : shape_(shape), queries_(queries), out_(out), count_(count) {
  LMPO_CHECK(count <= kQueryBlock);
  // Finite, so that differences of maxima are never NaN.
  maximum_.fill(std::numeric_limits<float>::lowest());
  sum_.fill(0.0F);
}

void AttentionBlock::add_tile(HeadRows keys, HeadRows values, std::int64_t key_count,
                              const VisibleRows& visible) {
  const std::int64_t size = shape_.head_size;
  matmul_serial({Transpose::no, Transpose::yes, count_, key_count, size, shape_.scale,
                 queries_.data, queries_.stride, keys.data, keys.stride, 0.0F, scores_.data(),
                 key_count});
  for (std::int64_t query = 0; query < count_; ++query) {
    weigh(query, visible[static_cast<std::size_t>(query)], key_count);
  }
  matmul_serial({Transpose::no, Transpose::no, count_, size, key_count, 1.0F, scores_.data(),
                 key_count, values.data, values.stride, empty_ ? 0.0F : 1.0F, out_.data,
                 out_.stride});
  empty_ = false;
}

void AttentionBlock::weigh(std::int64_t query, VisibleKeys visible, std::int64_t key_count) {
  float* row = scores_.data() + query * key_count;
  float& maximum = maximum_[static_cast<std::size_t>(query)];
  float& sum = sum_[static_cast<std::size_t>(query)];
  const std::int64_t seen = visible.last - visible.first;
  std::fill(row, row + visible.first, 0.0F);
  std::fill(row + visible.last, row + key_count, 0.0F);
  if (seen == 0) {
    return;
  }
  if (shape_.softcap != 0.0F) {
    cap(row + visible.first, shape_.softcap, seen);
  }
  const float before = maximum;
  maximum = std::max(before, largest(row + visible.first, seen));
  const float correction = std::exp(before - maximum);
  sum = sum * correction + exponentiate(row + visible.first, maximum, seen);
  if (!empty_ && correction != 1.0F) {
    float* out = out_.data + query * out_.stride;
    scale(out, out, correction, shape_.head_size);
  }
}

void AttentionBlock::finish() {
  for (std::int64_t query = 0; query < count_; ++query) {
    float* out = out_.data + query * out_.stride;
    scale(out, out, 1.0F / sum_[static_cast<std::size_t>(query)], shape_.head_size);
  }
}

float AttentionBlock::log_sum_exp(std::int64_t query) const {
  const auto index = static_cast<std::size_t>(query);
  return maximum_[index] + std::log(sum_[index]);
}

}  // namespace lmpo::cpu
