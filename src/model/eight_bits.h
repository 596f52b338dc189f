// Weights in 8 bits by rows: code times scale, with codes from -127 to 127 and the scale such that
// the row's largest magnitude is 127. Rounded to nearest, so an error is at most half a scale.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lmpo {

struct EightBitRows {
  std::vector<std::int8_t> codes;
  std::vector<float> scales;  // one a row; 0 for a row of zeros
};

// Of whole rows of finite values, `width` long.
EightBitRows round_to_eight_bits(std::span<const float> values, std::int64_t width);

}  // namespace lmpo
