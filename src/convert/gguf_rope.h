// The rotary settings of a GGUF file in config.json's words.
#pragma once

#include <string_view>

#include "base/json.h"
#include "io/gguf_file.h"

namespace lmpo {

// Whether put_gguf_rope reads the key, which stands without its architecture.
bool is_gguf_rope_key(std::string_view key);

// Sets rope_theta, rope_scaling and what stands beside them. Llama 3's scaling is found from its
// divisors, rope_freqs.weight, which are all that a GGUF file holds of it; longrope's factors are
// tensors too. `head_size` is E. UserError for settings that config.json cannot say.
void put_gguf_rope(const GgufFile& file, std::string_view architecture, std::int64_t head_size,
                   ordered_json& config);

// A number of the file, which holds float32, as a person would write it: 1e-05, not
// 9.99999974737875e-06.
double gguf_decimal(double number);

}  // namespace lmpo
