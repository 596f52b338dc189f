// How llama.cpp holds the numbers of a tensor, and transformers: both ways.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "model/tensor_table.h"

namespace lmpo {

// Rows of heads that llama.cpp turns in neighbouring pairs are reordered: transformers turns element
// j of a head with j + E/2, llama.cpp element 2j with 2j + 1. Norms whose multipliers are
// offset + weight are held as these multipliers.
class GgufLayout {
 public:
  GgufLayout(const ModelConfig& config, const ModelTensor& tensor);

  // Puts elements begin, begin + 1, ... into `out`.
  using Read = std::function<void(std::int64_t begin, std::span<float> out)>;
  // Elements [begin, begin + out.size()) as llama.cpp has them, of a tensor as transformers has it;
  // and the reverse.
  void to_gguf(const Read& transformers, std::int64_t begin, std::span<float> out) const;
  void from_gguf(const Read& gguf, std::int64_t begin, std::span<float> out) const;

 private:
  void read(const Read& source, std::int64_t (*row_of)(std::int64_t row, std::int64_t head_size),
            std::int64_t begin, std::span<float> out) const;

  std::int64_t width_;      // of a row
  std::int64_t head_size_;  // 0: rows lie in one order
  float offset_;
};

}  // namespace lmpo
