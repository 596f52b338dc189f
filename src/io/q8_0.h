// Numbers in 8 bits, as ggml's Q8_0: blocks of 32 with one scale.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace lmpo {

// Writes 34 bytes for each 32 values: d = (largest magnitude) / 127 as float16, and each value / d
// rounded to nearest, ties away from zero. These are ggml's bytes. UserError that names the tensor
// if a value is not finite or d is too large for float16. Thread-safe.
void quantize_q8_0(std::span<const float> values, std::span<std::byte> out,
                   std::string_view tensor);

}  // namespace lmpo
