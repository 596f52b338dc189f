// What the Gemmas have in common.
#pragma once

#include "model/config.h"
#include "model/config_reader.h"

namespace lmpo {

// Norms that multiply by 1 + weight, the scaled embedding, biases. UserError for attention in both
// directions.
void read_gemma_keys(const ConfigReader& reader, ModelConfig& config);
// Gemma 2 and 3: norms on both sides of a sublayer, the scale of scores, softcaps; null is none.
void read_gemma2_keys(const ConfigReader& reader, float usual_attention_cap, float usual_logit_cap,
                      ModelConfig& config);
void put_gemma2_keys(const ModelConfig& config, ordered_json& object);

}  // namespace lmpo
