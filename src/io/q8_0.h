// Numbers in 8 bits, as ggml's Q8_0: blocks of 32 with one scale.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace lmpo {

// For each 32 values 34 bytes: the float16 of d = (largest magnitude) / 127, and each value / d
// rounded to the nearest, ties away from zero: ggml's reference, bit for bit. UserError that names
// the tensor where a value is not finite or d exceeds float16. Thread-safe.
void quantize_q8_0(std::span<const float> values, std::span<std::byte> out,
                   std::string_view tensor);

}  // namespace lmpo
