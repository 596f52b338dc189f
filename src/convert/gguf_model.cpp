#include "convert/gguf_model.h"

#include <algorithm>

#include "base/error.h"
#include "base/log.h"
#include "convert/gguf_vocabulary.h"
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

}  // namespace

GgufMetadata gguf_architecture(const ModelConfig& config, const std::string& name, GgufType type) {
  const auto size = [](std::int64_t value) { return static_cast<std::uint32_t>(value); };
  const std::string architecture(find_family(config.family).gguf_architecture);
  GgufMetadata keys = {{"general.architecture", architecture},
                       {"general.type", std::string("model")},
                       {"general.name", name},
                       {"general.file_type", file_type(type)},
                       {"general.quantization_version", std::uint32_t{2}}};
  const auto add = [&](const char* key, GgufValue value) {
    keys.emplace_back(fmt::format("{}.{}", architecture, key), std::move(value));
  };
  add("vocab_size", size(config.vocab_size));
  add("context_length", size(config.max_positions));
  add("embedding_length", size(config.hidden_size));
  add("block_count", size(config.layers));
  add("feed_forward_length", size(config.intermediate_size));
  add("attention.head_count", size(config.heads));
  add("attention.head_count_kv", size(config.key_heads));
  add("attention.key_length", size(config.head_size));
  add("attention.value_length", size(config.head_size));
  add("attention.layer_norm_rms_epsilon", config.rms_norm_eps);
  add("rope.dimension_count", size(config.head_size));
  add("rope.freq_base", static_cast<float>(config.rope_theta));
  if (config.rope_scaling.kind == RopeScaling::Kind::linear) {
    add("rope.scaling.type", std::string("linear"));
    add("rope.scaling.factor", static_cast<float>(config.rope_scaling.factor));
  }
  if (config.sliding_window > 0 && config.sliding_window < config.max_positions) {
    log_warning(
        "llama.cpp has no sliding window for this architecture: its results differ beyond {} "
        "tokens",
        config.sliding_window);
  }
  return keys;
}

void write_gguf_model(const fs::path& file, const fs::path& folder, const ModelConfig& config,
                      const Checkpoint& checkpoint, GgufType type) {
  const std::string name = fs::absolute(folder / "").lexically_normal().parent_path().filename();
  GgufMetadata keys = gguf_architecture(config, name, type);
  std::ranges::move(gguf_vocabulary(folder, config), std::back_inserter(keys));
  write_gguf(file, keys, gguf_tensors(config, checkpoint, type));
}

}  // namespace lmpo
