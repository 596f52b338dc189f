#include "ops/adamw.h"

#include <cmath>

#include "base/error.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

bool has_master(const Tensor& w, const Tensor& low) {
  switch (w.dtype()) {
    case Dtype::f32:
      return true;
    case Dtype::bf16:
      return low.dtype() == Dtype::i16 && low.elements() == w.elements();
    case Dtype::f16:
      return low.dtype() == Dtype::f32 && low.elements() == w.elements();
    case Dtype::i32:
    case Dtype::i16:
    case Dtype::i8:
    case Dtype::u8:
      break;
  }
  return false;
}

// All numbers, or codes of rows with a scale for each of their blocks.
bool fits(const Moment& moment, const Tensor& w) {
  if (moment.values.elements() != w.elements()) {
    return false;
  }
  if (moment.scales.empty()) {
    return moment.values.dtype() == Dtype::f32;
  }
  return moment.values.dtype() == Dtype::u8 && w.rank() == 2 &&
         has_shape(moment.scales, {w.dim(0), (w.dim(1) + kMomentBlock - 1) / kMomentBlock});
}

}  // namespace

AdamWConstants constants_of(const AdamWStep& step) {
  return {static_cast<float>(step.gradient_scale),
          static_cast<float>(1.0 - step.learning_rate * step.weight_decay),
          static_cast<float>(1.0 - step.beta1),
          static_cast<float>(step.beta1),
          static_cast<float>(step.beta2),
          static_cast<float>(1.0 - step.beta2),
          static_cast<float>(std::sqrt(step.bias_correction2)),
          static_cast<float>(step.epsilon),
          static_cast<float>(-step.learning_rate / step.bias_correction1)};
}

void check_adamw(const Tensor& w, const Tensor& low, const Tensor& gradient, const Moment& moment1,
                 const Moment& moment2) {
  LMPO_CHECK(gradient.elements() == w.elements() && gradient.dtype() == Dtype::f32);
  LMPO_CHECK(has_master(w, low));
  LMPO_CHECK(fits(moment1, w) && fits(moment2, w) &&
             moment1.scales.empty() == moment2.scales.empty());
}

}  // namespace lmpo
