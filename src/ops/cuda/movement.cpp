// The object itself, and movement of elements and rows.
#include <fmt/format.h>

#include "ops/cuda/cuda_ops.h"
#include "ops/cuda/errors.h"
#include "ops/moment_codes.h"
#include "ops/shape.h"

namespace lmpo {
namespace {

void* allocate(std::size_t bytes) {
  void* memory = nullptr;
  cuda::check(cudaMalloc(&memory, bytes), "memory of the ops");
  return memory;
}

// The values of 8-bit moments and the borders between them, as the CPU has them.
cuda::AdamWCodes make_codes() {
  cuda::AdamWCodes codes{};
  for (const auto sign : {MomentSign::either, MomentSign::positive}) {
    const auto& values = moment_values(sign);
    const auto borders = moment_borders(sign);
    const auto index = static_cast<std::size_t>(sign);
    std::copy(values.begin(), values.end(), codes.values[index]);
    std::copy(borders.begin(), borders.end(), codes.borders[index]);
  }
  return codes;
}

}  // namespace

CudaOps::CudaOps(Dtype compute)
    : compute_(compute),
      scratch_(allocate(cuda::scratch_bytes)),
      tables_(allocate(cuda::table_bytes)),
      codes_(allocate(sizeof(cuda::AdamWCodes))) {
  const cuda::AdamWCodes codes = make_codes();
  cuda::check(cudaMemcpy(codes_.get(), &codes, sizeof codes, cudaMemcpyHostToDevice), "upload");
  cuda::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream");
  multiplier_ = std::make_unique<cuda::Multiplier>(stream_, scratch_.get(), cuda::scratch_bytes);
}

CudaOps::~CudaOps() {
  cudaStreamSynchronize(stream_);
  multiplier_.reset();
  cudaStreamDestroy(stream_);
}

void CudaOps::finish() {
  const cudaError_t status = cudaStreamSynchronize(stream_);
  if (status != cudaSuccess) {
    machine_error(
        "the GPU failed while it computed: {} ({}). CUDA_LAUNCH_BLOCKING=1 makes the op name "
        "itself",
        cudaGetErrorString(status), cudaGetErrorName(status));
  }
}

void CudaOps::launched(std::string_view op, std::initializer_list<const Tensor*> tensors) {
  const cudaError_t status = cudaGetLastError();
  if (status != cudaSuccess) {
    std::string shapes;
    for (const Tensor* tensor : tensors) {
      shapes += fmt::format("{}{}", shapes.empty() ? "" : ", ", tensor->describe());
    }
    machine_error("the GPU failed in {} of {}: {} ({})", op, shapes, cudaGetErrorString(status),
                  cudaGetErrorName(status));
  }
}

void CudaOps::require_compute(std::initializer_list<const Tensor*> tensors) const {
  for (const Tensor* tensor : tensors) {
    LMPO_CHECK(tensor->dtype() == compute_);
  }
}

// --- movement
// -------------------------------------------------------------------------------------------------

void CudaOps::upload(Tensor device, const void* host) {
  // From memory that is not pinned the call returns once the driver has its own copy.
  cuda::check(cudaMemcpyAsync(device.data(), host, device.bytes(), cudaMemcpyDefault, stream_),
              "upload");
}

void CudaOps::download(void* host, Tensor device) {
  cuda::check(cudaMemcpyAsync(host, device.data(), device.bytes(), cudaMemcpyDefault, stream_),
              "download");
  finish();
}

void CudaOps::zero(Tensor x) {
  if (!x.empty()) {
    cuda::zero(stream_, x.data(), x.bytes());
    launched("zero", {&x});
  }
}

void CudaOps::copy(Tensor out, Tensor in) {
  LMPO_CHECK(out.same_shape(in) && out.dtype() == in.dtype());
  cuda::check(cudaMemcpyAsync(out.data(), in.data(), in.bytes(), cudaMemcpyDefault, stream_),
              "copy");
}

void CudaOps::cast(Tensor out, Tensor in) {
  LMPO_CHECK(out.same_shape(in));
  cuda::cast(stream_, typed(out), typed(in), in.elements());
  launched("cast", {&out, &in});
}

void CudaOps::add(Tensor out, Tensor in) {
  require_compute({&out, &in});
  LMPO_CHECK(out.same_shape(in));
  cuda::add(stream_, typed(out), typed(in), in.elements());
  launched("add", {&out, &in});
}

// --- rows
// -----------------------------------------------------------------------------------------------------

void CudaOps::embedding_forward(Tensor y, Tensor table, Tensor tokens) {
  require_compute({&y});
  LMPO_CHECK(has_shape(y, {tokens.dim(0), table.dim(1)}));
  cuda::gather_rows(stream_, typed(y), typed(table), tokens.i32(), tokens.dim(0), table.dim(1),
                    table.dim(0));
  launched("embedding_forward", {&y, &table});
}

void CudaOps::embedding_backward(Tensor dtable, Tensor dy, Tensor tokens) {
  require_compute({&dy});
  LMPO_CHECK(has_shape(dy, {tokens.dim(0), dtable.dim(1)}));
  cuda::embedding_backward(stream_, dtable.f32(), typed(dy), tokens.i32(), tokens.dim(0),
                           dtable.dim(1), dtable.dim(0));
  launched("embedding_backward", {&dtable, &dy});
}

void CudaOps::gather_rows(Tensor y, Tensor x, Tensor rows) {
  require_compute({&y, &x});
  LMPO_CHECK(has_shape(y, {rows.dim(0), x.dim(1)}));
  cuda::gather_rows(stream_, typed(y), typed(x), rows.i32(), rows.dim(0), x.dim(1), x.dim(0));
  launched("gather_rows", {&y, &x});
}

void CudaOps::scatter_rows(Tensor dx, Tensor dy, Tensor rows) {
  require_compute({&dx, &dy});
  LMPO_CHECK(has_shape(dy, {rows.dim(0), dx.dim(1)}));
  zero(dx);
  cuda::scatter_rows(stream_, typed(dx), typed(dy), rows.i32(), rows.dim(0), dx.dim(1), dx.dim(0));
  launched("scatter_rows", {&dx, &dy});
}

}  // namespace lmpo
