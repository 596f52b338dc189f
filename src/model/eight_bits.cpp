#include "model/eight_bits.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/threads.h"

namespace lmpo {
namespace {

constexpr float kLargestCode = 127;

// Gives the scale.
float round_row(std::int8_t* codes, std::span<const float> row) {
  float largest = 0;
  for (const float value : row) {
    largest = std::max(largest, std::fabs(value));
  }
  const float scale = largest / kLargestCode;
  for (std::size_t i = 0; i < row.size(); ++i) {
    // A scale so small that it is 0, or rounded, must not lead beyond the codes.
    const float code = scale > 0 ? std::nearbyint(row[i] / scale) : 0;
    codes[i] = static_cast<std::int8_t>(std::clamp(code, -kLargestCode, kLargestCode));
  }
  return scale;
}

}  // namespace

EightBitRows round_to_eight_bits(std::span<const float> values, std::int64_t width) {
  LMPO_CHECK(width > 0 && std::ssize(values) % width == 0);
  const std::int64_t rows = std::ssize(values) / width;
  EightBitRows rounded{std::vector<std::int8_t>(values.size()),
                       std::vector<float>(static_cast<std::size_t>(rows))};
  parallel_for(rows, (1 << 14) / width + 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const auto first = static_cast<std::size_t>(row * width);
      rounded.scales[static_cast<std::size_t>(row)] = round_row(
          rounded.codes.data() + first, values.subspan(first, static_cast<std::size_t>(width)));
    }
  });
  return rounded;
}

}  // namespace lmpo
