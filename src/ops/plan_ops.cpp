// Ops that compute nothing, for planning memory: see arena.h.
#include <algorithm>
#include <cstring>

#include "ops/cuda/geometry.h"
#include "ops/device.h"
#include "ops/sizes_of.h"

namespace lmpo {
namespace {

// Notes what the calls need beside their tensors. A derived class says for which device.
class PlanOps : public Ops {
 public:
  bool computes() const override { return false; }
  void download(void* host, Tensor device) override { std::memset(host, 0, device.bytes()); }
  double sum_of_squares(std::span<const Tensor>) override { return 0.0; }
  std::size_t planned_scratch() const override { return products_ + attention_; }

#define LMPO_PLAN(Op, part, direction) \
  void run(const Op& op) override {    \
    plan(op);                          \
  }
  LMPO_OPS(LMPO_PLAN)
#undef LMPO_PLAN
  void upload(Tensor, const void*) override {}

 private:
  // Most ops need nothing beside their tensors.
  template <typename Op>
  void plan(const Op&) {}
  void plan(const LinearForward& op) {
    take_linear(op.x, op.w);
  }
  void plan(const LinearBackwardInput& op) {
    take_linear(op.dy, op.w);
  }
  void plan(const LinearBackwardWeight& op) {
    take_linear(op.dy, op.dw);
  }
  void plan(const AttentionForward& op) {
    take_attention(op.segments, op.shape);
  }
  void plan(const AttentionBackward& op) {
    take_attention(op.segments, op.shape);
  }
  void plan(const AttentionPaged& op) {
    take_attention({}, op.shape);
  }
  void plan(const HeadForward& op) {
    take_head(op.hidden, op.w);
  }
  void plan(const HeadBackward& op) {
    take_head(op.hidden, op.w);
  }

  void take_linear(Tensor rows, Tensor w) {
    products_ = std::max(products_, linear_scratch(rows.dim(0), w.dim(1), w.dim(0)));
  }
  void take_head(Tensor hidden, Tensor w) {
    products_ = std::max(products_, head_scratch(hidden.dim(0), w.dim(1), w.dim(0)));
  }
  void take_attention(std::span<const Pack::Segment> segments, const AttentionShape& shape) {
    attention_ = std::max(attention_, attention_scratch(segments, shape));
  }

  std::size_t products_ = 0;
  std::size_t attention_ = 0;
};

// For ops that exist.
using PlanOfOps = SizesOf<PlanOps>;

// For a GPU, which this machine need not have.
class PlanOfGpu final : public PlanOps {
 public:
  explicit PlanOfGpu(Dtype compute) : compute_(compute) {}
  Dtype compute_dtype() const override { return compute_; }
  std::int64_t head_workspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary,
                              Dtype storage) const override {
    return cuda::HeadWorkspace(rows, hidden, vocabulary, compute_, storage).total;
  }
  void require_sizes(std::int64_t hidden, const AttentionShape& heads) const override {
    cuda::require_sizes(hidden, heads.query_heads, heads.head_size);
  }
  std::size_t attention_scratch(std::span<const Pack::Segment> segments,
                                const AttentionShape& shape) const override {
    cuda::require_tables(segments, shape.query_heads, shape.key_heads);
    return 0;
  }

 private:
  Dtype compute_;
};

}  // namespace

std::unique_ptr<Ops> make_plan_ops(const Ops& like) {
  return std::make_unique<PlanOfOps>(like);
}

std::size_t cuda_memory_beside_arenas() {
  return cuda::kLibraryBytes + cuda::kScratchBytes + cuda::kTableBytes;
}

std::unique_ptr<Ops> make_cuda_plan_ops(Dtype compute) {
  return std::make_unique<PlanOfGpu>(compute);
}

}  // namespace lmpo
