#include "model/families/gemma_keys.h"

#include <cmath>

namespace lmpo {
namespace {

constexpr const char* kScalar = "query_pre_attn_scalar";
constexpr const char* kAttentionCap = "attn_logit_softcapping";
constexpr const char* kLogitCap = "final_logit_softcapping";

float read_cap(const ConfigReader& reader, const char* key, float usual) {
  if (reader.absent(key)) {
    return usual;
  }
  return reader.has(key) ? reader.positive_float(key, 0) : 0;
}

void put_cap(ordered_json& object, const char* key, float cap) {
  put(object, key, cap == 0 ? ordered_json() : ordered_json(shortest(cap)));
}

float scale_of(double scalar) {
  return static_cast<float>(std::pow(scalar, -0.5));
}

}  // namespace

void read_gemma_keys(const ConfigReader& reader, ModelConfig& config) {
  constexpr const char* kBothWays = "use_bidirectional_attention";
  if (reader.has(kBothWays) && reader.value(kBothWays, false)) {
    reader.wrong(kBothWays, "true is not supported: lmpo trains models that read left to right");
  }
  config.norm_offset = 1;
  config.embedding_scale = static_cast<float>(std::sqrt(static_cast<double>(config.hidden_size)));
  config.rounds_embedding_scale = true;
  read_biases(reader, config);
}

void read_gemma2_keys(const ConfigReader& reader, float usual_attention_cap, float usual_logit_cap,
                      ModelConfig& config) {
  require_equal_heads(reader, config);
  read_gemma_keys(reader, config);
  config.norms_after = true;
  config.attention_scale = scale_of(reader.positive_float(kScalar, 256));
  config.attention_softcap = read_cap(reader, kAttentionCap, usual_attention_cap);
  config.logit_softcap = read_cap(reader, kLogitCap, usual_logit_cap);
}

void put_gemma2_keys(const ModelConfig& config, ordered_json& object) {
  put_unless_default(object, "attention_bias", config.qkv_bias, false);
  const auto scale = static_cast<double>(config.attention_scale);
  const auto scalar = object.find(kScalar);
  if (scalar == object.end() || scale_of(scalar->get<double>()) != config.attention_scale) {
    object[kScalar] = std::llround(1 / (scale * scale));  // transformers wants a whole number
  }
  put_cap(object, kAttentionCap, config.attention_softcap);
  put_cap(object, kLogitCap, config.logit_softcap);
}

}  // namespace lmpo
