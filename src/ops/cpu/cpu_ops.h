// The ops of the CPU: float32 arithmetic over BLAS and vectorised loops, cut over the threads of
// base/threads.h. Each file beside this one holds the ops of its name; the contract is ops.h.
#pragma once

#include "ops/cpu/product.h"
#include "ops/ops.h"

namespace lmpo {

class CpuOps final : public Ops {
 public:
  explicit CpuOps(cpu::Precision precision) : precision_(precision) {}

  Dtype compute_dtype() const override { return Dtype::f32; }
  std::size_t linear_scratch(std::int64_t tokens, std::int64_t in, std::int64_t out) const override;
  std::size_t head_scratch(std::int64_t rows, std::int64_t hidden,
                           std::int64_t vocabulary) const override;
  std::size_t attention_scratch(std::span<const Pack::Segment> segments,
                                const AttentionShape& shape) const override;

  // rows.cpp
  void upload(Tensor device, const void* host) override;
  void download(void* host, Tensor device) override;
  void zero(Tensor x) override;
  void copy(Tensor out, Tensor in) override;
  void cast(Tensor out, Tensor in) override;
  void add(Tensor out, Tensor in) override;

  // linear.cpp
  void linear_forward(Tensor y, Tensor x, Tensor w, bool accumulate) override;
  void linear_backward_input(Tensor dx, Tensor dy, Tensor w, bool accumulate) override;
  void linear_backward_weight(Tensor dw, Tensor dy, Tensor x) override;

  // rows.cpp
  void embedding_forward(Tensor y, Tensor table, Tensor tokens) override;
  void embedding_backward(Tensor dtable, Tensor dy, Tensor tokens) override;
  void gather_rows(Tensor y, Tensor x, Tensor rows) override;
  void scatter_rows(Tensor dx, Tensor dy, Tensor rows) override;

  // norm.cpp
  void rmsnorm_forward(Tensor y, Tensor rstd, Tensor x, Tensor w, float eps) override;
  void rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w, Tensor rstd) override;

  // rope.cpp
  void rope_forward(Tensor qkv, Tensor cos_sin, Tensor positions,
                    const AttentionShape& shape) override;
  void rope_backward(Tensor dqkv, Tensor cos_sin, Tensor positions,
                     const AttentionShape& shape) override;

  // swiglu.cpp
  void swiglu_forward(Tensor y, Tensor gate_up) override;
  void swiglu_backward(Tensor dgate_up, Tensor y, Tensor dy, Tensor gate_up) override;

  // attention.cpp
  void attention_forward(Tensor out, Tensor lse, Tensor qkv, Tensor positions,
                         std::span<const Pack::Segment> segments,
                         const AttentionShape& shape) override;
  void attention_backward(Tensor dqkv, Tensor dout, Tensor out, Tensor lse, Tensor qkv,
                          Tensor positions, std::span<const Pack::Segment> segments,
                          const AttentionShape& shape, Tensor scratch) override;

  // decode.cpp
  void store_keys(Tensor cache_k, Tensor cache_v, Tensor qkv, std::int64_t begin, std::int64_t end,
                  std::int64_t b, const AttentionShape& shape) override;
  void attention_decode(Tensor out, Tensor qkv, Tensor cache_k, Tensor cache_v, Tensor lengths,
                        const AttentionShape& shape) override;

  // head.cpp
  void head_forward(Tensor logp, Tensor lse, Tensor hidden, Tensor w, Tensor target_row,
                    Tensor target_token, Tensor workspace) override;
  void head_backward(Tensor dhidden, Tensor dw, Tensor dlogp, Tensor lse, Tensor hidden, Tensor w,
                     Tensor target_row, Tensor target_token, Tensor workspace) override;
  std::int64_t head_workspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary,
                              Dtype storage) const override;

  // adamw.cpp
  double sum_of_squares(std::span<const Tensor> tensors) override;
  void adamw(Tensor w, Tensor low, Tensor gradient, const Moment& moment1, const Moment& moment2,
             const AdamWStep& step) override;

 private:
  cpu::Precision precision_;
};

}  // namespace lmpo
