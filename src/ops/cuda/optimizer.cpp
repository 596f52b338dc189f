#include "ops/adamw.h"
#include "ops/cuda/cuda_ops.h"
#include "ops/cuda/errors.h"

namespace lmpo {

double CudaOps::sum_of_squares(std::span<const Tensor> tensors) {
  // As many tensors at a time as the scratch holds sums of: of any model that was published, all.
  constexpr std::size_t kMost = cuda::kScratchBytes / sizeof(double) / cuda::kSquareParts - 1;
  if (tensors.size() > kMost) {
    const double first = sum_of_squares(tensors.first(kMost));
    return first + sum_of_squares(tensors.subspan(kMost));
  }
  const std::size_t parts = tensors.size() * cuda::kSquareParts;
  auto* partial = static_cast<double*>(scratch_.get());
  double* next = partial;
  for (const Tensor& x : tensors) {
    cuda::square_sums(stream_, next, x.f32(), x.elements());
    next += cuda::kSquareParts;
  }
  cuda::add_parts(stream_, next, partial, static_cast<std::int64_t>(parts));
  launched("sum_of_squares", {});
  double sum = 0;
  cuda::check(cudaMemcpyAsync(&sum, next, sizeof sum, cudaMemcpyDefault, stream_), "download");
  finish();
  return sum;
}

void CudaOps::run(const AdamW& op) {
  check_adamw(op.w, op.low, op.gradient, op.moment1, op.moment2);
  const bool coded = !op.moment1.scales.empty();
  const cuda::AdamWTensors tensors{typed(op.w),
                                   op.low.data(),
                                   op.gradient.f32(),
                                   op.moment1.values.data(),
                                   op.moment2.values.data(),
                                   coded ? op.moment1.scales.f32() : nullptr,
                                   coded ? op.moment2.scales.f32() : nullptr,
                                   coded ? op.w.dim(0) : 1,
                                   coded ? op.w.dim(1) : op.w.elements()};
  cuda::adamw(stream_, tensors, constants_of(op.step),
              static_cast<const cuda::AdamWCodes*>(codes_.get()));
  launched("adamw", {&op.w});
}

}  // namespace lmpo
