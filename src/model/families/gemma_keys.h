// What the Gemmas have in common.
#pragma once

#include "model/family.h"

namespace lmpo {

inline constexpr ConfigDefaults kGemmaDefaults = {.vocab_size = 256000,
                                                  .hidden_size = 3072,
                                                  .intermediate_size = 24576,
                                                  .layers = 28,
                                                  .heads = 16,
                                                  .key_heads = 16,
                                                  .head_size = 256,
                                                  .max_positions = 8192,
                                                  .activation = Activation::gelu_tanh,
                                                  .tied = true,
                                                  .bos_id = 2,
                                                  .eos_id = 1,
                                                  .pad_id = 0};
// Of Gemma 2 and 3.
constexpr ConfigDefaults gemma2_defaults(std::int64_t vocab_size, std::int64_t max_positions) {
  ConfigDefaults defaults = kGemmaDefaults;
  defaults.vocab_size = vocab_size;
  defaults.hidden_size = 2304;
  defaults.intermediate_size = 9216;
  defaults.layers = 26;
  defaults.heads = 8;
  defaults.key_heads = 4;
  defaults.max_positions = max_positions;
  return defaults;
}

// Norms that multiply by 1 + weight, the scaled embedding, biases. UserError for attention in both
// directions.
void read_gemma_keys(const ConfigReader& reader, ModelConfig& config);
// Gemma 2 and 3: norms on both sides of a sublayer, the scale of scores, softcaps; null is none.
void read_gemma2_keys(const ConfigReader& reader, float usual_attention_cap, float usual_logit_cap,
                      ModelConfig& config);
void put_gemma2_keys(const ModelConfig& config, ordered_json& object);

}  // namespace lmpo
