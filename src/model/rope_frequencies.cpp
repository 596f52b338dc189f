#include <cmath>
#include <numbers>

#include "model/config.h"

namespace lmpo {

std::vector<float> inverse_frequencies(const ModelConfig& config) {
  const RopeScaling& scaling = config.rope_scaling;
  const auto factor = static_cast<float>(scaling.factor);
  const auto context = static_cast<double>(scaling.original_positions);
  const auto low_wavelength = static_cast<float>(context / scaling.low_frequency_factor);
  const auto high_wavelength = static_cast<float>(context / scaling.high_frequency_factor);
  const auto low = static_cast<float>(scaling.low_frequency_factor);
  const auto range =
      static_cast<float>(scaling.high_frequency_factor - scaling.low_frequency_factor);
  std::vector<float> frequencies;
  for (std::int64_t i = 0; i < config.head_size; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(config.head_size);
    const auto power = static_cast<float>(std::pow(
        static_cast<double>(static_cast<float>(config.rope_theta)), static_cast<double>(exponent)));
    float frequency = 1.0F / power;
    if (scaling.kind == RopeScaling::Kind::linear) {
      frequency /= factor;
    } else if (scaling.kind == RopeScaling::Kind::llama3) {
      // PyTorch computes number / tensor as the reciprocal times the number.
      const float wavelength = 1.0F / frequency * static_cast<float>(2 * std::numbers::pi);
      if (wavelength > low_wavelength) {
        frequency /= factor;
      } else if (wavelength >= high_wavelength) {
        const float smooth = (1.0F / wavelength * static_cast<float>(context) - low) / range;
        frequency = (1.0F - smooth) * frequency / factor + smooth * frequency;
      }
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}

}  // namespace lmpo
