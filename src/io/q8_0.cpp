#include "io/q8_0.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "io/gguf.h"
#include "io/store_floats.h"

namespace lmpo {

void quantize_q8_0(std::span<const float> values, std::span<std::byte> out,
                   std::string_view tensor) {
  constexpr std::size_t block = q8_0_block;
  constexpr std::size_t scale_bytes = sizeof(float16);
  constexpr std::size_t block_bytes = scale_bytes + block;
  LMPO_CHECK(values.size() % block == 0 && out.size() == values.size() / block * block_bytes);
  for (; !values.empty(); values = values.subspan(block), out = out.subspan(block_bytes)) {
    float largest = 0;
    for (const float value : values.first(block)) {
      if (!std::isfinite(value)) {
        user_error("tensor '{}' holds {}, which q8_0 cannot store", tensor, value);
      }
      largest = std::max(largest, std::fabs(value));
    }
    const float scale = largest / 127;
    const float inverse = scale == 0 ? 0 : 1 / scale;
    store_floats({&scale, 1}, Dtype::f16, out.first(scale_bytes), tensor);
    for (std::size_t i = 0; i < block; ++i) {
      const auto code = static_cast<std::int8_t>(std::round(values[i] * inverse));
      std::memcpy(out.data() + scale_bytes + i, &code, 1);
    }
  }
}

}  // namespace lmpo
