// The ops of an NVIDIA GPU: products by cuBLASLt, everything else by the kernels beside this file.
// The *.cpp files check shapes and choose; the *.cu files compute. The contract is ops.h.
//
// Everything runs on one stream in the order of the calls. Fixed memory of the object: scratch for
// products and sums, and the tables of attention (geometry.h).
#pragma once

#include <cuda_runtime.h>

#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "ops/cuda/product.h"
#include "ops/ops.h"

namespace lmpo {

class CudaOps final : public Ops {
 public:
  // For the current device. Throws MachineError.
  explicit CudaOps(Dtype compute);
  ~CudaOps() override;
  CudaOps(const CudaOps&) = delete;
  CudaOps& operator=(const CudaOps&) = delete;

  void require_sizes(std::int64_t hidden, const AttentionShape& heads) const override;
  std::size_t attention_scratch(std::span<const Pack::Segment> segments,
                                const AttentionShape& shape) const override;
  Dtype compute_dtype() const override { return compute_; }
  bool is_asynchronous() const override { return true; }
  void finish() override;

  // movement.cpp
  void upload(Tensor device, const void* host) override;
  void download(void* host, Tensor device) override;
  void zero(Tensor x) override;
  void copy(Tensor out, Tensor in) override;
  void cast(Tensor out, Tensor in) override;
  void add(Tensor out, Tensor in) override;
  void embedding_forward(Tensor y, Tensor table, Tensor tokens) override;
  void embedding_backward(Tensor dtable, Tensor dy, Tensor tokens) override;
  void gather_rows(Tensor y, Tensor x, Tensor rows) override;
  void scatter_rows(Tensor dx, Tensor dy, Tensor rows) override;

  // linear.cpp
  void linear_forward(Tensor y, Tensor x, Tensor w, bool accumulate) override;
  void linear_backward_input(Tensor dx, Tensor dy, Tensor w, bool accumulate) override;
  void linear_backward_weight(Tensor dw, Tensor dy, Tensor x) override;

  // pointwise.cpp
  void rmsnorm_forward(Tensor y, Tensor rstd, Tensor x, Tensor w, float eps) override;
  void rmsnorm_backward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor w, Tensor rstd) override;
  void rope_forward(Tensor qkv, Tensor cos_sin, Tensor positions,
                    const AttentionShape& shape) override;
  void rope_backward(Tensor dqkv, Tensor cos_sin, Tensor positions,
                     const AttentionShape& shape) override;
  void swiglu_forward(Tensor y, Tensor gate_up) override;
  void swiglu_backward(Tensor dgate_up, Tensor y, Tensor dy, Tensor gate_up) override;

  // attention.cpp
  void attention_forward(Tensor out, Tensor lse, Tensor qkv, Tensor positions,
                         std::span<const Pack::Segment> segments,
                         const AttentionShape& shape) override;
  void attention_backward(Tensor dqkv, Tensor dout, Tensor out, Tensor lse, Tensor qkv,
                          Tensor positions, std::span<const Pack::Segment> segments,
                          const AttentionShape& shape, Tensor scratch) override;
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

  // optimizer.cpp
  double sum_of_squares(std::span<const Tensor> tensors) override;
  void adamw(Tensor w, Tensor low, Tensor gradient, const Moment& moment1, const Moment& moment2,
             const AdamWStep& step) override;

 private:
  struct Free {
    void operator()(void* memory) const { cudaFree(memory); }
  };
  using Memory = std::unique_ptr<void, Free>;
  struct HeadParts;

  static cuda::Typed typed(const Tensor& x) { return {x.data(), x.dtype()}; }
  // After a launch: MachineError that names the op and the shapes where it was refused.
  static void launched(std::string_view op, std::initializer_list<const Tensor*> tensors);
  void require_compute(std::initializer_list<const Tensor*> tensors) const;
  void rotate(Tensor qkv, Tensor cos_sin, Tensor positions, const AttentionShape& shape,
              float sign);
  // Puts the segments' blocks on the device, unless they are there from the last call.
  cuda::AttentionInput attention_input(Tensor qkv, Tensor positions,
                                       std::span<const Pack::Segment> segments,
                                       const AttentionShape& shape);
  float* float_scratch() const { return static_cast<float*>(scratch_.get()); }

  Dtype compute_;
  cudaStream_t stream_ = nullptr;
  Memory scratch_;
  Memory tables_;
  Memory codes_;  // cuda::AdamWCodes
  std::unique_ptr<cuda::Multiplier> multiplier_;
  std::vector<Pack::Segment> segments_;  // whose blocks are in tables_
  cuda::AttentionInput blocks_{};        // of these segments
};

}  // namespace lmpo
