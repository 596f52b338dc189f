// What OLMo 2 and 3 have in common.
#pragma once

#include "model/family.h"

namespace lmpo {

inline constexpr ConfigDefaults kOlmoDefaults = {.vocab_size = 50304,
                                                 .intermediate_size = 11008,
                                                 .max_positions = 2048,
                                                 .rms_norm_eps = 1e-5,
                                                 .bos_id = {},
                                                 .eos_id = 50279,
                                                 .pad_id = 1};

// Norms only of what a sublayer returns, and of all queries and all keys of a token; biases.
void read_olmo_keys(const ConfigReader& reader, ModelConfig& config);
void put_olmo_keys(const ModelConfig& config, ordered_json& object);

}  // namespace lmpo
