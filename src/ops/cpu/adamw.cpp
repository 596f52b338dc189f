#include "ops/adamw.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "base/threads.h"
#include "ops/cpu/convert.h"
#include "ops/cpu/cpu_ops.h"
#include "ops/cpu/vector.h"
#include "ops/moment_codes.h"

namespace lmpo {
namespace {

// In the order of operations of torch.optim.AdamW. The first moment moves from the nearer end, as
// torch.lerp does.
LMPO_VECTOR void update(float* __restrict w, const float* __restrict gradient,
                        float* __restrict moment1, float* __restrict moment2, std::int64_t count,
                        const AdamWConstants& given) {
  const AdamWConstants c = given;
  const bool from_moment = c.beta1_rest < 0.5F;
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradient[i] * c.scale;
    const float difference = g - moment1[i];
    const float m = from_moment ? moment1[i] + c.beta1_rest * difference : g - c.beta1 * difference;
    const float v = moment2[i] * c.beta2 + c.beta2_rest * g * g;
    const float denominator = std::sqrt(v) / c.correction2_root + c.epsilon;
    w[i] = w[i] * c.decay + c.minus_step * m / denominator;
    moment1[i] = m;
    moment2[i] = v;
  }
}

LMPO_VECTOR void join(float* __restrict out, const bfloat16* __restrict high,
                      const std::int16_t* __restrict low, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = join_float({high[i], low[i]});
  }
}

LMPO_VECTOR void split(bfloat16* __restrict high, std::int16_t* __restrict low,
                       const float* __restrict in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const SplitFloat parts = split_float(in[i]);
    high[i] = parts.high;
    low[i] = parts.low;
  }
}

LMPO_VECTOR double square_sum(const float* x, std::int64_t count) {
  double sum = 0.0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) {
    sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  return sum;
}

struct Weight {
  Tensor w;
  Tensor low;
  Tensor gradient;

  // Elements i, i + 1, ... with their moments; at most 1024.
  void update_part(float* moment1, float* moment2, std::int64_t i, std::int64_t count,
                   const AdamWConstants& constants) const {
    const auto update_master = [&](float* master) {
      update(master, gradient.f32() + i, moment1, moment2, count, constants);
    };
    if (w.dtype() == Dtype::f32) {
      update_master(w.f32() + i);
    } else if (w.dtype() == Dtype::bf16) {
      std::array<float, 1024> buffer;
      join(buffer.data(), w.bf16() + i, low.i16() + i, count);
      update_master(buffer.data());
      split(w.bf16() + i, low.i16() + i, buffer.data(), count);
    } else {
      update_master(low.f32() + i);
      cpu::narrow(w, i, low.f32() + i, count);
    }
  }
};

// A block of a moment in float32 while this lives, in 8 bits before and after.
class DecodedMoment {
 public:
  DecodedMoment(const Moment& moment, std::int64_t element, std::int64_t block, std::int64_t count,
                MomentSign sign)
      : codes_(moment.values.u8() + element),
        scale_(moment.scales.f32() + block),
        count_(count),
        sign_(sign) {
    decode_moments(values_.data(), codes_, *scale_, count, sign);
  }
  ~DecodedMoment() { *scale_ = encode_moments(codes_, values_.data(), count_, sign_); }
  DecodedMoment(const DecodedMoment&) = delete;
  DecodedMoment& operator=(const DecodedMoment&) = delete;

  float* values() { return values_.data(); }

 private:
  std::array<float, kMomentBlock> values_;
  std::uint8_t* codes_;
  float* scale_;
  std::int64_t count_;
  MomentSign sign_;
};

double square_sum(Tensor x) {
  // A fixed number of parts, added in order.
  constexpr std::int64_t kParts = 256;
  std::array<double, kParts> sums{};
  const std::int64_t count = x.elements();
  parallel_for(kParts, count < (1 << 16) ? kParts : 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t part = first; part < last; ++part) {
      const std::int64_t begin = count / kParts * part + std::min(part, count % kParts);
      const std::int64_t size = count / kParts + (part < count % kParts ? 1 : 0);
      sums[static_cast<std::size_t>(part)] = square_sum(x.f32() + begin, size);
    }
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace

double CpuOps::sum_of_squares(std::span<const Tensor> tensors) {
  double sum = 0.0;
  for (const Tensor& x : tensors) {
    sum += square_sum(x);
  }
  return sum;
}

void CpuOps::run(const AdamW& op) {
  check_adamw(op.w, op.low, op.gradient, op.moment1, op.moment2);
  const Weight weight{op.w, op.low, op.gradient};
  const AdamWConstants constants = constants_of(op.step);
  if (op.moment1.scales.empty()) {
    constexpr std::int64_t kBlock = 1024;
    parallel_for(op.w.elements(), 4 * kBlock, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; i += kBlock) {
        weight.update_part(op.moment1.values.f32() + i, op.moment2.values.f32() + i, i,
                           std::min(kBlock, end - i), constants);
      }
    });
    return;
  }
  const std::int64_t columns = op.w.dim(1);
  parallel_for(op.w.dim(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t column = 0; column < columns; column += kMomentBlock) {
        const std::int64_t i = row * columns + column;
        const std::int64_t count = std::min(kMomentBlock, columns - column);
        const std::int64_t block = row * op.moment1.scales.dim(1) + column / kMomentBlock;
        DecodedMoment m(op.moment1, i, block, count, MomentSign::either);
        DecodedMoment v(op.moment2, i, block, count, MomentSign::positive);
        weight.update_part(m.values(), v.values(), i, count, constants);
      }
    }
  });
}

}  // namespace lmpo
