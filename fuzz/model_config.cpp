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
  const auto frequencies = lmpo::inverse_frequencies(config);
  LMPO_CHECK(static_cast<std::int64_t>(frequencies.size()) * 2 == config.head_size);
  for (const float frequency : frequencies) {
    LMPO_CHECK(std::isfinite(frequency));
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
  LMPO_CHECK(a.rope_theta == b.rope_theta && a.rope_scaling == b.rope_scaling);
  LMPO_CHECK(a.sliding_window == b.sliding_window);
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
