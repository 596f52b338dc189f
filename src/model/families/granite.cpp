// transformers' GraniteForCausalLM (Granite 3 and 4, dense): Llama with four multipliers.
#include "model/family.h"

namespace lmpo {
namespace {

void read_granite(const ConfigReader& reader, ModelConfig& config) {
  read_biases(reader, config);
  config.mlp_bias = reader.value("mlp_bias", false);
  config.embedding_scale = reader.positive_float("embedding_multiplier", 1);
  config.attention_scale = reader.positive_float("attention_multiplier", 1);
  config.residual_scale = reader.positive_float("residual_multiplier", 1);
  config.logit_scale = 1 / reader.positive_float("logits_scaling", 1);
}

void write_granite(const ModelConfig& config, ordered_json& object) {
  put_unless_default(object, "attention_bias", config.qkv_bias, false);
  put_unless_default(object, "mlp_bias", config.mlp_bias, false);
  put_float(object, "embedding_multiplier", config.embedding_scale);
  put_float(object, "attention_multiplier", config.attention_scale);
  put_float(object, "residual_multiplier", config.residual_scale);
  const auto scaling = object.find("logits_scaling");
  if (scaling == object.end() ||
      1 / static_cast<float>(scaling->get<double>()) != config.logit_scale) {
    object["logits_scaling"] = shortest(1 / config.logit_scale);
  }
}

}  // namespace

Family granite_family() {
  return {.model_type = "granite",
          .class_prefix = "Granite",
          .gguf_architecture = "granite",
          .gguf_turns_pairs = true,
          .defaults = {.intermediate_size = 11008, .max_positions = 2048},
          .read = read_granite,
          .write = write_granite};
}

}  // namespace lmpo
