#include <algorithm>
#include <cmath>
#include <numbers>

#include "model/config.h"

namespace lmpo {
namespace {

using Kind = Rope::Kind;

// base^(2i / R) for every i.
std::vector<float> powers(double base, std::int64_t columns) {
  std::vector<float> result;
  for (std::int64_t i = 0; i < columns; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(columns);
    result.push_back(static_cast<float>(
        std::pow(static_cast<double>(static_cast<float>(base)), static_cast<double>(exponent))));
  }
  return result;
}

// As for a sequence of original_positions, which shorter ones use too.
double dynamic_base(const Rope& rope) {
  const auto length = static_cast<double>(rope.original_positions);
  const auto columns = static_cast<double>(rope.columns);
  const double stretch = rope.factor * length / length - (rope.factor - 1);
  return rope.theta * std::pow(stretch, columns / (columns - 2));
}

float llama3_frequency(const Rope& rope, float frequency) {
  const auto factor = static_cast<float>(rope.factor);
  const auto context = static_cast<double>(rope.original_positions);
  const auto low = static_cast<float>(rope.low_frequency_factor);
  const auto range = static_cast<float>(rope.high_frequency_factor - rope.low_frequency_factor);
  // PyTorch computes number / tensor as the reciprocal times the number.
  const float wavelength = 1.0F / frequency * static_cast<float>(2 * std::numbers::pi);
  if (wavelength > static_cast<float>(context / rope.low_frequency_factor)) {
    return frequency / factor;
  }
  if (wavelength < static_cast<float>(context / rope.high_frequency_factor)) {
    return frequency;
  }
  const float smooth = (1.0F / wavelength * static_cast<float>(context) - low) / range;
  return (1.0F - smooth) * frequency / factor + smooth * frequency;
}

// Where yarn's ramp begins and ends, in columns.
struct Ramp {
  double begin, end;
};

Ramp yarn_ramp(const Rope& rope) {
  const auto column = [&](double rotations) {
    const auto context = static_cast<double>(rope.original_positions);
    return static_cast<double>(rope.columns) *
           std::log(context / (rotations * 2 * std::numbers::pi)) / (2 * std::log(rope.theta));
  };
  double begin = column(rope.beta_fast);
  double end = column(rope.beta_slow);
  if (rope.truncate) {
    begin = std::floor(begin);
    end = std::ceil(end);
  }
  begin = std::max(begin, 0.0);
  end = std::min(end, static_cast<double>(rope.columns - 1));
  return {begin, begin == end ? end + 0.001 : end};
}

// Between the plain frequency, where the ramp has not begun, and the stretched one.
float yarn_frequency(const Rope& rope, const Ramp& ramp, std::size_t i, float power) {
  const float position = (static_cast<float>(i) - static_cast<float>(ramp.begin)) /
                         static_cast<float>(ramp.end - ramp.begin);
  const float plain = 1.0F - std::clamp(position, 0.0F, 1.0F);
  const float stretched = 1.0F / (static_cast<float>(rope.factor) * power);
  return stretched * (1.0F - plain) + 1.0F / power * plain;
}

}  // namespace

RotaryFrequencies rotary_frequencies(const Rope& rope, bool is_long) {
  std::vector<float> inverse =
      powers(rope.kind == Kind::dynamic ? dynamic_base(rope) : rope.theta, rope.columns);
  const Ramp ramp = rope.kind == Kind::yarn ? yarn_ramp(rope) : Ramp{};
  const std::vector<double>& divisors = is_long ? rope.long_factors : rope.short_factors;
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    const float power = inverse[i];
    inverse[i] = rope.kind == Kind::linear     ? 1.0F / power / static_cast<float>(rope.factor)
                 : rope.kind == Kind::llama3   ? llama3_frequency(rope, 1.0F / power)
                 : rope.kind == Kind::yarn     ? yarn_frequency(rope, ramp, i, power)
                 : rope.kind == Kind::longrope ? 1.0F / (static_cast<float>(divisors[i]) * power)
                                               : 1.0F / power;
  }
  return {std::move(inverse), static_cast<float>(rope.table_factor)};
}

}  // namespace lmpo
