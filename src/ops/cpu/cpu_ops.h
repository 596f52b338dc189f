// The ops of the CPU: float32 arithmetic over BLAS and vectorised loops, cut over the threads of
// base/threads.h. Each file beside this one holds the ops of its name.
#pragma once

#include "ops/cpu/product.h"
#include "ops/ops.h"

namespace lmpo {

class CpuOps final : public Ops {
 public:
  explicit CpuOps(cpu::Precision precision) : precision_(precision) {}

  Dtype compute_dtype() const override { return Dtype::f32; }
  bool widens_weights() const override { return true; }
  std::size_t linear_scratch(std::int64_t tokens, std::int64_t in, std::int64_t out) const override;
  std::size_t head_scratch(std::int64_t rows, std::int64_t hidden,
                           std::int64_t vocabulary) const override;
  std::size_t attention_scratch(std::span<const Pack::Segment> segments,
                                const AttentionShape& shape) const override;

  LMPO_OPS(LMPO_OVERRIDE_RUN)
  void upload(Tensor device, const void* host) override;
  void download(void* host, Tensor device) override;
  double sum_of_squares(std::span<const Tensor> tensors) override;
  std::int64_t head_workspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary,
                              Dtype storage) const override;

 private:
  cpu::Precision precision_;
};

}  // namespace lmpo
