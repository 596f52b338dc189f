// Ops that answer questions about sizes as others do.
#pragma once

#include "ops/ops.h"

namespace lmpo {

// Derived from Base, which is Ops or derived from it. `ops` must outlive the object.
template <typename Base>
class SizesOf : public Base {
 public:
  explicit SizesOf(const Ops& ops) : ops_(ops) {}

  Dtype compute_dtype() const override { return ops_.compute_dtype(); }
  bool widens_weights() const override { return ops_.widens_weights(); }
  void require_sizes(std::int64_t hidden, const AttentionShape& heads) const override {
    ops_.require_sizes(hidden, heads);
  }
  std::int64_t head_workspace(std::int64_t rows, std::int64_t hidden, std::int64_t vocabulary,
                              Dtype storage) const override {
    return ops_.head_workspace(rows, hidden, vocabulary, storage);
  }
  std::size_t linear_scratch(std::int64_t tokens, std::int64_t in,
                             std::int64_t out) const override {
    return ops_.linear_scratch(tokens, in, out);
  }
  std::size_t head_scratch(std::int64_t rows, std::int64_t hidden,
                           std::int64_t vocabulary) const override {
    return ops_.head_scratch(rows, hidden, vocabulary);
  }
  std::size_t attention_scratch(std::span<const Pack::Segment> segments,
                                const AttentionShape& shape) const override {
    return ops_.attention_scratch(segments, shape);
  }

 private:
  const Ops& ops_;
};

}  // namespace lmpo
