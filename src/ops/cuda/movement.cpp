// The object itself, and movement of elements and rows, and their multiples.
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
      scratch_(allocate(cuda::kScratchBytes)),
      tables_(allocate(cuda::kTableBytes)),
      codes_(allocate(sizeof(cuda::AdamWCodes))) {
  const cuda::AdamWCodes codes = make_codes();
  cuda::check(cudaMemcpy(codes_.get(), &codes, sizeof codes, cudaMemcpyHostToDevice), "upload");
  cuda::check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream");
  multiplier_ = std::make_unique<cuda::Multiplier>(stream_, scratch_.get(), cuda::kScratchBytes);
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

void CudaOps::run(const Zero& op) {
  if (!op.x.empty()) {
    cuda::zero(stream_, op.x.data(), op.x.bytes());
    launched("zero", {&op.x});
  }
}

void CudaOps::run(const Copy& op) {
  LMPO_CHECK(op.out.same_shape(op.in) && op.out.dtype() == op.in.dtype());
  cuda::check(
      cudaMemcpyAsync(op.out.data(), op.in.data(), op.in.bytes(), cudaMemcpyDefault, stream_),
      "copy");
}

void CudaOps::run(const Cast& op) {
  LMPO_CHECK(op.out.same_shape(op.in));
  cuda::cast(stream_, typed(op.out), typed(op.in), op.in.elements());
  launched("cast", {&op.out, &op.in});
}

void CudaOps::run(const Scale& op) {
  require_compute({&op.y, &op.x});
  LMPO_CHECK(op.y.same_shape(op.x));
  cuda::scale(stream_, typed(op.y), typed(op.x), op.factor, op.accumulate, op.x.elements());
  launched("scale", {&op.x});
}

void CudaOps::run(const EmbeddingForward& op) {
  require_compute({&op.y});
  LMPO_CHECK(has_shape(op.y, {op.tokens.dim(0), op.table.dim(1)}));
  cuda::gather_rows(stream_, typed(op.y), typed(op.table), op.tokens.i32(), op.tokens.dim(0),
                    op.table.dim(1), op.table.dim(0));
  launched("embedding_forward", {&op.y, &op.table});
}

void CudaOps::run(const EmbeddingBackward& op) {
  require_compute({&op.dy});
  LMPO_CHECK(has_shape(op.dy, {op.tokens.dim(0), op.dtable.dim(1)}));
  cuda::embedding_backward(stream_, op.dtable.f32(), typed(op.dy), op.tokens.i32(),
                           op.tokens.dim(0), op.dtable.dim(1), op.dtable.dim(0));
  launched("embedding_backward", {&op.dtable, &op.dy});
}

void CudaOps::run(const GatherRows& op) {
  require_compute({&op.y, &op.x});
  LMPO_CHECK(has_shape(op.y, {op.rows.dim(0), op.x.dim(1)}));
  cuda::gather_rows(stream_, typed(op.y), typed(op.x), op.rows.i32(), op.rows.dim(0), op.x.dim(1),
                    op.x.dim(0));
  launched("gather_rows", {&op.y, &op.x});
}

void CudaOps::run(const ScatterRows& op) {
  require_compute({&op.dx, &op.dy});
  LMPO_CHECK(has_shape(op.dy, {op.rows.dim(0), op.dx.dim(1)}));
  run(Zero{.x = op.dx});
  cuda::scatter_rows(stream_, typed(op.dx), typed(op.dy), op.rows.i32(), op.rows.dim(0),
                     op.dx.dim(1), op.dx.dim(0));
  launched("scatter_rows", {&op.dx, &op.dy});
}

}  // namespace lmpo
