#include <cmath>

#include "base/log.h"
#include "convert/gguf_limits.h"
#include "convert/gguf_model.h"
#include "model/family.h"

namespace lmpo {
namespace {

// llama.cpp's numbers for what most tensors of a file are.
std::uint32_t file_type(GgufType type) {
  switch (type) {
    case GgufType::f32:
      return 0;
    case GgufType::f16:
      return 1;
    case GgufType::q8_0:
      return 7;
    case GgufType::bf16:
      return 32;
  }
  broken_invariant("a type of tensors", __FILE__, __LINE__);
}

// Appends keys that begin with the architecture's name.
class ArchitectureKeys {
 public:
  ArchitectureKeys(GgufMetadata& keys, std::string_view architecture)
      : keys_(keys), architecture_(architecture) {}

  void add(const char* key, GgufValue value) {
    keys_.emplace_back(fmt::format("{}.{}", architecture_, key), std::move(value));
  }
  void add_size(const char* key, std::int64_t value) {
    add(key, static_cast<std::uint32_t>(value));
  }
  void add_number(const char* key, double value) { add(key, static_cast<float>(value)); }
  // Where llama.cpp takes something else without the key.
  void add_unless(const char* key, float value, float usual) {
    if (value != usual) {
      add(key, value);
    }
  }

 private:
  GgufMetadata& keys_;
  std::string_view architecture_;
};

void add_sizes(const ModelConfig& config, ArchitectureKeys& keys) {
  keys.add_size("vocab_size", config.vocab_size);
  keys.add_size("context_length", config.max_positions);
  keys.add_size("embedding_length", config.hidden_size);
  keys.add_size("block_count", config.layers);
  keys.add_size("feed_forward_length", config.intermediate_size);
  keys.add_size("attention.head_count", config.heads);
  keys.add_size("attention.head_count_kv", config.key_heads);
  keys.add_size("attention.key_length", config.head_size);
  keys.add_size("attention.value_length", config.head_size);
  keys.add("attention.layer_norm_rms_epsilon", config.rms_norm_eps);
}

// Yarn's llama.cpp multiplies cosines and sines by 0.1 ln(factor) + 1 and by this number.
void add_yarn(const Rope& rope, ArchitectureKeys& keys) {
  keys.add("rope.scaling.type", std::string("yarn"));
  keys.add_number("rope.scaling.factor", rope.factor);
  keys.add_size("rope.scaling.original_context_length", rope.original_positions);
  keys.add_number("rope.scaling.yarn_beta_fast", rope.beta_fast);
  keys.add_number("rope.scaling.yarn_beta_slow", rope.beta_slow);
  const double usual = rope.factor <= 1 ? 1 : 0.1 * std::log(rope.factor) + 1;
  keys.add_unless("rope.scaling.attn_factor", static_cast<float>(rope.table_factor / usual), 1);
}

void add_rope(const ModelConfig& config, ArchitectureKeys& keys) {
  const Rope& rope = config.ropes[0];
  keys.add_size("rope.dimension_count", rope.columns);
  keys.add_number("rope.freq_base", rope.theta);
  if (rope.kind == Rope::Kind::linear) {
    keys.add("rope.scaling.type", std::string("linear"));
    keys.add_number("rope.scaling.factor", rope.factor);
  } else if (rope.kind == Rope::Kind::yarn) {
    add_yarn(rope, keys);
  } else if (rope.kind == Rope::Kind::longrope) {
    keys.add("rope.scaling.type", std::string("longrope"));
    keys.add_size("rope.scaling.original_context_length", rope.original_positions);
    keys.add_unless("rope.scaling.attn_factor", static_cast<float>(rope.table_factor), 1);
  }
  if (config.ropes.size() > 1) {  // of layers with a window
    keys.add_number("rope.freq_base_swa", config.ropes[1].theta);
  }
  if (config.query_scale_beta != 0) {
    keys.add_number("attention.temperature_scale", config.query_scale_beta);
  }
}

void add_windows(const ModelConfig& config, ArchitectureKeys& keys) {
  if (const std::int64_t window = widest_window(config); window > 0) {
    keys.add_size("attention.sliding_window", window);
    keys.add_size("attention.sliding_window_pattern", window_period(config).value_or(1));
  }
}

void add_scales(const ModelConfig& config, const GgufLimits& limits, ArchitectureKeys& keys) {
  keys.add_unless("attn_logit_softcapping", config.attention_softcap, 0);
  keys.add_unless("final_logit_softcapping", config.logit_softcap, 0);
  if (limits.multipliers) {
    keys.add("attention.scale", config.attention_scale);
    keys.add("embedding_scale", config.embedding_scale);
    keys.add("residual_scale", config.residual_scale);
    keys.add("logit_scale", 1 / config.logit_scale);  // llama.cpp divides by it
  }
}

}  // namespace

GgufMetadata gguf_architecture(const ModelConfig& config, const std::string& name, GgufType type) {
  const std::string architecture(find_family(config.family).gguf_architecture);
  const GgufLimits& limits = gguf_limits(architecture);
  check_gguf_limits(config, limits);
  GgufMetadata metadata = {{"general.architecture", architecture},
                           {"general.type", std::string("model")},
                           {"general.name", name},
                           {"general.file_type", file_type(type)},
                           {"general.quantization_version", std::uint32_t{2}}};
  ArchitectureKeys keys(metadata, architecture);
  add_sizes(config, keys);
  add_rope(config, keys);
  if (limits.windows) {
    add_windows(config, keys);
  }
  add_scales(config, limits, keys);
  return metadata;
}

}  // namespace lmpo
