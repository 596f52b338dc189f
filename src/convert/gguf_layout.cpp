#include "convert/gguf_layout.h"

#include <algorithm>

#include "model/family.h"

namespace lmpo {
namespace {

// The row of transformers' projection that becomes this row of llama.cpp's: within a head of E
// rows the two halves lie interleaved.
std::int64_t half_of_pair(std::int64_t row, std::int64_t head_size) {
  const std::int64_t inside = row % head_size;
  return row - inside + inside % 2 * (head_size / 2) + inside / 2;
}

// The reverse.
std::int64_t pair_of_half(std::int64_t row, std::int64_t head_size) {
  const std::int64_t inside = row % head_size;
  const std::int64_t half = head_size / 2;
  return row - inside + inside % half * 2 + inside / half;
}

void add_offset(float offset, std::span<float> values) {
  if (offset != 0) {  // 0 + -0 would lose a sign
    std::ranges::for_each(values, [offset](float& value) { value += offset; });
  }
}

}  // namespace

GgufLayout::GgufLayout(const ModelConfig& config, const ModelTensor& tensor)
    : width_(tensor.shape.size() == 1 ? 1 : tensor.shape.back()),
      head_size_(tensor.rotated && find_family(config.family).gguf_turns_pairs ? config.head_size
                                                                               : 0),
      offset_(tensor.kind == TensorKind::norm ? config.norm_offset : 0) {}

void GgufLayout::to_gguf(const Read& transformers, std::int64_t begin, std::span<float> out) const {
  read(transformers, half_of_pair, begin, out);
  add_offset(offset_, out);
}

void GgufLayout::from_gguf(const Read& gguf, std::int64_t begin, std::span<float> out) const {
  read(gguf, pair_of_half, begin, out);
  add_offset(-offset_, out);
}

void GgufLayout::read(const Read& source, std::int64_t (*row_of)(std::int64_t, std::int64_t),
                      std::int64_t begin, std::span<float> out) const {
  if (head_size_ == 0) {
    return source(begin, out);
  }
  while (!out.empty()) {
    const std::int64_t column = begin % width_;
    const std::int64_t count = std::min(width_ - column, static_cast<std::int64_t>(out.size()));
    const std::int64_t row = row_of(begin / width_, head_size_);
    source(row * width_ + column, out.first(static_cast<std::size_t>(count)));
    out = out.subspan(static_cast<std::size_t>(count));
    begin += count;
  }
}

}  // namespace lmpo
