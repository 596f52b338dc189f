// Any bytes as a config.json: refused with a UserError, or a configuration that describes a model
// and reads back the same after it was written.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "model/config.h"
#include "model/tensor_table.h"

namespace {

// The sizes lie where their products cannot overflow, and rotary frequencies are numbers.
void check_describes_a_model(const lmpo::ModelConfig& config) {
  LMPO_CHECK(config.heads % config.key_heads == 0);
  for (const lmpo::Rope& rope : config.ropes) {
    LMPO_CHECK(rope.columns > 0 && rope.columns <= config.head_size);
    const auto frequencies = lmpo::rotary_frequencies(rope, true);
    LMPO_CHECK(static_cast<std::int64_t>(frequencies.inverse.size()) * 2 == rope.columns);
    for (const float frequency : frequencies.inverse) {
      LMPO_CHECK(std::isfinite(frequency));
    }
  }
  LMPO_CHECK(static_cast<std::int64_t>(config.layer_attention.size()) == config.layers);
  for (const lmpo::LayerAttention& layer : config.layer_attention) {
    LMPO_CHECK(layer.window >= 0 && (!layer.rope || *layer.rope < config.ropes.size()));
  }
  if (config.layers > 3) {
    return;  // only slower
  }
  for (const lmpo::ModelTensor& tensor : lmpo::model_tensors(config)) {
    double elements = 1;
    for (const std::int64_t length : tensor.shape) {
      LMPO_CHECK(length > 0);
      elements *= static_cast<double>(length);
    }
    LMPO_CHECK(elements < 1e15);
  }
}

void check_same(const lmpo::ModelConfig& a, const lmpo::ModelConfig& b) {
  LMPO_CHECK(a.family == b.family && a.vocab_size == b.vocab_size && a.layers == b.layers);
  LMPO_CHECK(a.hidden_size == b.hidden_size && a.intermediate_size == b.intermediate_size);
  LMPO_CHECK(a.heads == b.heads && a.key_heads == b.key_heads && a.head_size == b.head_size);
  LMPO_CHECK(a.max_positions == b.max_positions && a.rms_norm_eps == b.rms_norm_eps);
  LMPO_CHECK(a.ropes == b.ropes && a.layer_attention == b.layer_attention);
  LMPO_CHECK(a.activation == b.activation && a.query_key_norm == b.query_key_norm);
  LMPO_CHECK(a.attention_scale == b.attention_scale && a.residual_scale == b.residual_scale);
  LMPO_CHECK(a.attention_softcap == b.attention_softcap && a.logit_softcap == b.logit_softcap);
  LMPO_CHECK(a.embedding_scale == b.embedding_scale && a.logit_scale == b.logit_scale);
  LMPO_CHECK(a.query_scale_beta == b.query_scale_beta);
  LMPO_CHECK(a.qkv_bias == b.qkv_bias && a.output_bias == b.output_bias);
  LMPO_CHECK(a.mlp_bias == b.mlp_bias);
  LMPO_CHECK(a.tie_word_embeddings == b.tie_word_embeddings);
  LMPO_CHECK(a.initializer_range == b.initializer_range);
  LMPO_CHECK(a.bos_id == b.bos_id && a.eos_ids == b.eos_ids && a.pad_id == b.pad_id);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  lmpo::set_log_level(lmpo::LogLevel::error);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    lmpo::parse_json(text, "input");
    const auto config = lmpo::parse_model_config(lmpo::ordered_json::parse(text), "input");
    check_describes_a_model(config);
    const auto written = lmpo::config_to_json(config, config.dtype).dump(2);
    const auto again = lmpo::parse_model_config(lmpo::ordered_json::parse(written), "written");
    check_same(config, again);
    LMPO_CHECK(again.dtype == config.dtype);
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
