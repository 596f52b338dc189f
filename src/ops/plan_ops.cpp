// Ops that compute nothing, for planning memory: see arena.h.
#include <cstring>
#include <functional>

#include "ops/cuda/geometry.h"
#include "ops/device.h"

namespace lmpo {
namespace {

class PlanOps final : public Ops {
 public:
  using HeadWorkspace = std::function<std::int64_t(std::int64_t rows, std::int64_t hidden,
                                                   std::int64_t vocabulary, Dtype storage)>;
  PlanOps(Dtype compute, HeadWorkspace head_workspace)
      : compute_(compute), head_workspace_(std::move(head_workspace)) {}

  bool computes() const override { return false; }
  Dtype compute_dtype() const override { return compute_; }
  std::int64_t head_workspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary,
                              Dtype storage) const override {
    return head_workspace_(rows, hidden, vocabulary, storage);
  }
  void download(void* host, Tensor device) override { std::memset(host, 0, device.bytes()); }
  double sum_of_squares(std::span<const Tensor>) override { return 0.0; }

  void upload(Tensor, const void*) override {}
  void zero(Tensor) override {}
  void copy(Tensor, Tensor) override {}
  void cast(Tensor, Tensor) override {}
  void add(Tensor, Tensor) override {}
  void linear_forward(Tensor, Tensor, Tensor, bool) override {}
  void linear_backward_input(Tensor, Tensor, Tensor, bool) override {}
  void linear_backward_weight(Tensor, Tensor, Tensor) override {}
  void embedding_forward(Tensor, Tensor, Tensor) override {}
  void embedding_backward(Tensor, Tensor, Tensor) override {}
  void gather_rows(Tensor, Tensor, Tensor) override {}
  void scatter_rows(Tensor, Tensor, Tensor) override {}
  void rmsnorm_forward(Tensor, Tensor, Tensor, Tensor, float) override {}
  void rmsnorm_backward(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor) override {}
  void rope_forward(Tensor, Tensor, Tensor, const AttentionShape&) override {}
  void rope_backward(Tensor, Tensor, Tensor, const AttentionShape&) override {}
  void swiglu_forward(Tensor, Tensor) override {}
  void swiglu_backward(Tensor, Tensor, Tensor, Tensor) override {}
  void attention_forward(Tensor, Tensor, Tensor, Tensor, std::span<const Pack::Segment>,
                         const AttentionShape&) override {}
  void attention_backward(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor,
                          std::span<const Pack::Segment>, const AttentionShape&, Tensor) override {}
  void store_keys(Tensor, Tensor, Tensor, std::int64_t, std::int64_t, std::int64_t,
                  const AttentionShape&) override {}
  void attention_decode(Tensor, Tensor, Tensor, Tensor, Tensor, const AttentionShape&) override {}
  void head_forward(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor) override {}
  void head_backward(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor,
                     Tensor) override {}
  void adamw(Tensor, Tensor, Tensor, const Moment&, const Moment&, const AdamWStep&) override {}

 private:
  Dtype compute_;
  HeadWorkspace head_workspace_;
};

}  // namespace

std::unique_ptr<Ops> make_plan_ops(const Ops& like) {
  return std::make_unique<PlanOps>(
      like.compute_dtype(),
      [&like](std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary, Dtype storage) {
        return like.head_workspace(rows, hidden, vocabulary, storage);
      });
}

std::size_t cuda_memory_beside_arenas() {
  return cuda::library_bytes + cuda::scratch_bytes + cuda::table_bytes;
}

std::unique_ptr<Ops> make_cuda_plan_ops(Dtype compute) {
  return std::make_unique<PlanOps>(compute, [compute](std::int64_t rows, std::int64_t hidden,
                                                      std::int64_t vocabulary, Dtype storage) {
    return cuda::HeadWorkspace(rows, hidden, vocabulary, compute, storage).total;
  });
}

}  // namespace lmpo
