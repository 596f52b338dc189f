#include "ops/moment_codes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

#include "base/error.h"

namespace lmpo {
namespace {

// Seven decades, each with twice as many fractions between 0.1 and 1 as the one below.
std::array<float, 256> make_values(MomentSign sign) {
  constexpr int kDecades = 7;
  std::array<float, 256> values{};
  std::size_t count = 0;
  for (int decade = 0; decade < kDecades; ++decade) {
    const int fractions = 1 << (sign == MomentSign::either ? decade : decade + 1);
    for (int i = 0; i < fractions; ++i) {
      const double middle = 0.1 + 0.9 * (i + 0.5) / fractions;
      const auto value = static_cast<float>(std::pow(10.0, decade - kDecades + 1) * middle);
      values[count++] = value;
      if (sign == MomentSign::either) {
        values[count++] = -value;
      }
    }
  }
  values[count++] = 0.0F;
  values[count++] = 1.0F;
  LMPO_CHECK(count == values.size());
  std::sort(values.begin(), values.end());
  return values;
}

// Finds the nearest value: the upper bits of a float are an interval with few borders between
// codes.
class Finder {
 public:
  explicit Finder(MomentSign sign) : borders_(moment_borders(sign)) {
    for (std::size_t interval = 0; interval < first_.size(); ++interval) {
      const float low = lowest(interval);
      const auto* border = std::lower_bound(borders_.begin(), borders_.end() - 1, low);
      first_[interval] = static_cast<std::uint8_t>(border - borders_.begin());
    }
  }

  // |x| <= 1.
  std::uint8_t operator()(float x) const {
    std::uint8_t code = first_[std::bit_cast<std::uint32_t>(x) >> kDropped];
    while (x > borders_[code]) {
      ++code;
    }
    return code;
  }

 private:
  static constexpr int kDropped = 16;

  // The smallest number with these upper bits; of the negative ones that has all lower bits set.
  static float lowest(std::size_t interval) {
    const auto upper = static_cast<std::uint32_t>(interval) << kDropped;
    const bool negative = upper >> 31 != 0;
    const float low = std::bit_cast<float>(negative ? upper | ((1U << kDropped) - 1) : upper);
    return std::isfinite(low) ? std::clamp(low, -1.0F, 1.0F) : 1.0F;
  }

  std::array<float, 256> borders_;
  std::array<std::uint8_t, std::size_t{1} << (32 - kDropped)> first_{};
};

const Finder& finder(MomentSign sign) {
  static const Finder either(MomentSign::either);
  static const Finder positive(MomentSign::positive);
  return sign == MomentSign::either ? either : positive;
}

}  // namespace

const std::array<float, 256>& moment_values(MomentSign sign) {
  static const std::array<float, 256> either = make_values(MomentSign::either);
  static const std::array<float, 256> positive = make_values(MomentSign::positive);
  return sign == MomentSign::either ? either : positive;
}

std::array<float, 256> moment_borders(MomentSign sign) {
  const std::array<float, 256>& values = moment_values(sign);
  std::array<float, 256> borders{};
  for (std::size_t code = 0; code + 1 < values.size(); ++code) {
    borders[code] = 0.5F * (values[code] + values[code + 1]);
  }
  borders.back() = 2.0F;  // beyond every x
  return borders;
}

void decode_moments(float* x, const std::uint8_t* codes, float scale, std::int64_t count,
                    MomentSign sign) {
  const std::array<float, 256>& values = moment_values(sign);
  for (std::int64_t i = 0; i < count; ++i) {
    x[i] = scale * values[codes[i]];
  }
}

float encode_moments(std::uint8_t* codes, const float* x, std::int64_t count, MomentSign sign) {
  float scale = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    scale = std::max(scale, std::abs(x[i]));
  }
  if (!(scale > 0)) {
    std::fill_n(codes, count, std::uint8_t{0});
    return 0;
  }
  const Finder& nearest = finder(sign);
  for (std::int64_t i = 0; i < count; ++i) {
    codes[i] = nearest(std::clamp(x[i] / scale, -1.0F, 1.0F));
    if (sign == MomentSign::positive && codes[i] == 0 && x[i] > 0) {
      codes[i] = 1;
    }
  }
  return scale;
}

}  // namespace lmpo
