#include "model/family.h"

#include <algorithm>
#include <vector>

#include "base/error.h"

namespace lmpo {
namespace {

// Each is defined in the file of its name in families/.
#define LMPO_FAMILIES(_) \
  _(llama)               \
  _(mistral)             \
  _(ministral3)          \
  _(qwen2)               \
  _(qwen3)               \
  _(gemma)               \
  _(gemma2)              \
  _(gemma3_text)         \
  _(phi3)                \
  _(olmo2)               \
  _(olmo3)               \
  _(smollm3)             \
  _(granite)

// Relatives that people may take for one of them, and what they need that lmpo does not compute.
struct Relative {
  std::string_view model_type;
  std::string_view needs;
};

constexpr std::string_view kExperts = "a router and experts in place of the MLP";
constexpr std::string_view kLinearAttention = "linear attention (gated DeltaNet) in most layers";
constexpr std::string_view kImages = "positions of three kinds, for images";

constexpr Relative kRelatives[] = {
    {"mixtral", kExperts},
    {"qwen2_moe", kExperts},
    {"qwen3_moe", kExperts},
    {"olmoe", kExperts},
    {"phimoe", kExperts},
    {"granitemoe", kExperts},
    {"granitemoeshared", kExperts},
    {"granitemoehybrid", "state-space layers (Mamba-2) and experts"},
    {"gpt_oss", "experts, and a sink in the softmax of attention"},
    {"llama4", "experts, and attention in chunks"},
    {"llama4_text", "experts, and attention in chunks"},
    {"deepseek_v2", "latent attention (MLA) and experts"},
    {"deepseek_v3", "latent attention (MLA) and experts"},
    {"gemma3n", "embeddings of each layer, shared keys and values, and sparse activations"},
    {"gemma3n_text", "embeddings of each layer, shared keys and values, and sparse activations"},
    {"gemma4", "embeddings of each layer, shared keys and values, and norms of values"},
    {"gemma4_text", "embeddings of each layer, shared keys and values, and norms of values"},
    {"paligemma", "attention in both directions over its prefix"},
    {"qwen3_next", kLinearAttention},
    {"qwen3_5", kLinearAttention},
    {"qwen3_5_text", kLinearAttention},
    {"qwen2_vl", kImages},
    {"qwen2_5_vl", kImages},
    {"qwen3_vl", kImages},
    {"phi", "LayerNorm, and attention beside the MLP"},
    {"phi4_multimodal", "adapters for images and speech"},
    {"olmo", "LayerNorm without weights, and clipped queries, keys and values"},
    {"cohere", "LayerNorm, and attention beside the MLP"},
    {"cohere2", "LayerNorm, and attention beside the MLP"},
    {"glm", "rotary embeddings of neighbouring columns"},
    {"glm4", "rotary embeddings of neighbouring columns"},
    {"ministral", "windows in some layers of a Mistral model"},
    {"lfm2", "convolutions in most layers"},
    {"nemotron_h", "state-space layers (Mamba-2)"},
};

}  // namespace

#define LMPO_DECLARE(name) Family name##_family();
LMPO_FAMILIES(LMPO_DECLARE)
#undef LMPO_DECLARE

void read_biases(const ConfigReader& reader, ModelConfig& config) {
  config.qkv_bias = reader.value("attention_bias", false);
  config.output_bias = config.qkv_bias;
}

void require_equal_heads(const ConfigReader& reader, const ModelConfig& config) {
  if (config.hidden_size % config.heads != 0) {
    reader.wrong("hidden_size", "{} is not a multiple of num_attention_heads {}",
                 config.hidden_size, config.heads);
  }
}

std::span<const Family> families() {
#define LMPO_LIST(name) name##_family(),
  static const std::vector<Family> table = {LMPO_FAMILIES(LMPO_LIST)};
#undef LMPO_LIST
  return table;
}

const Family& find_family(std::string_view model_type, std::string_view place) {
  const auto found = std::ranges::find(families(), model_type, &Family::model_type);
  if (found == families().end()) {
    const auto* relative = std::ranges::find(kRelatives, model_type, &Relative::model_type);
    const bool known = relative != std::end(kRelatives);
    user_error("{}: '{}' is not supported{}; {} are", place, model_type,
               known ? fmt::format(": it needs {}", relative->needs) : "", family_names());
  }
  return *found;
}

std::string family_names() {
  std::string names;
  for (const Family& family : families()) {
    names += names.empty() ? "" : &family == &families().back() ? " and " : ", ";
    names += family.model_type;
  }
  return names;
}

}  // namespace lmpo
