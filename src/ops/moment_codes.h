// Moments in 8 bits: dynamic tree quantization of one block (see Moment in ops.h).
#pragma once

#include <array>
#include <cstdint>

namespace lmpo {

enum class MomentSign : std::uint8_t { either, positive };

// The values of the codes 0..255 in ascending order, in [-1, 1] or [0, 1].
const std::array<float, 256>& moment_values(MomentSign sign);
// What is at most borders[i], and no less than the border before, is nearest to code i; nothing is
// beyond the last.
std::array<float, 256> moment_borders(MomentSign sign);

// x[count] = scale * value of each code.
void decode_moments(float* x, const std::uint8_t* codes, float scale, std::int64_t count,
                    MomentSign sign);
// The nearest codes to x / scale, where the returned scale is the largest magnitude of x. What is
// positive stays so where all are: a weight whose second moment became zero would jump.
float encode_moments(std::uint8_t* codes, const float* x, std::int64_t count, MomentSign sign);

}  // namespace lmpo
