// The ops of an NVIDIA GPU: products by cuBLASLt, everything else by the kernels beside this file.
// The *.cpp files check shapes and choose a kernel; the *.cu files compute.
//
// Everything runs on one stream in the order of the calls. An object holds a fixed amount of device
// memory: scratch for products and sums, and the tables of attention (geometry.h).
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

  LMPO_OPS(LMPO_OVERRIDE_RUN)
  void upload(Tensor device, const void* host) override;
  void download(void* host, Tensor device) override;
  double sum_of_squares(std::span<const Tensor> tensors) override;
  std::int64_t head_workspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary,
                              Dtype storage) const override;

 private:
  struct Free {
    void operator()(void* memory) const { cudaFree(memory); }
  };
  using Memory = std::unique_ptr<void, Free>;
  struct HeadParts;

  static cuda::Typed typed(const Tensor& x) { return {x.data(), x.dtype()}; }
  // Rows and columns of a matrix, which need not be contiguous: for linear layers and
  // norms.
  static cuda::Matrix matrix(const Tensor& x) {
    return {{x.strided_data(), x.dtype()}, x.row_stride()};
  }
  // After a launch: MachineError that names the op and the shapes if the device refused it.
  static void launched(std::string_view op, std::initializer_list<const Tensor*> tensors);
  void require_compute(std::initializer_list<const Tensor*> tensors) const;
  void rotate(Tensor qkv, Tensor cos_sin, Tensor positions, Tensor query_scale,
              const AttentionShape& shape, float sign);
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
