// transformers' Ministral3ForCausalLM: Mistral with yarn, whose queries grow with their position.
#include "model/family.h"
#include "model/layer_types.h"

namespace lmpo {
namespace {

constexpr const char* kBeta = "llama_4_scaling_beta";

constexpr RopeRules kRope = {.theta = 10000, .parameters = R"({
    "rope_type": "yarn", "rope_theta": 1000000.0, "factor": 16.0,
    "original_max_position_embeddings": 16384, "beta_fast": 32.0, "beta_slow": 1.0,
    "mscale_all_dim": 1.0, "mscale": 1.0, "llama_4_scaling_beta": 0.1})"};

void read_ministral3(const ConfigReader& reader, ModelConfig& config) {
  const json table = rope_table(reader, kRope);
  const ConfigReader rope(table, reader.source());
  config.query_scale_beta = rope.required_positive(kBeta);
  config.query_scale_positions = config.ropes[0].original_positions;
  if (config.query_scale_positions == 0) {
    rope.wrong("rope_type", "yarn was expected: {} needs its original_max_position_embeddings",
               kBeta);
  }
  read_one_window(reader, 0, config);
}

void write_ministral3(const ModelConfig& config, ordered_json& object) {
  if (!object.contains("rope_parameters")) {
    ordered_json parameters = object["rope_scaling"];
    parameters["rope_theta"] = config.ropes[0].theta;
    parameters[kBeta] = config.query_scale_beta;
    object["rope_parameters"] = parameters;
    object.erase("rope_scaling");
  }
  put_one_window(config, object);
}

}  // namespace

Family ministral3_family() {
  return {.model_type = "ministral3",
          .class_prefix = "Ministral3",
          .gguf_architecture = "mistral3",
          .gguf_turns_pairs = true,
          .defaults = {.vocab_size = 131072,
                       .intermediate_size = 14336,
                       .layers = 34,
                       .key_heads = 8,
                       .head_size = 128,
                       .max_positions = 262144,
                       .rms_norm_eps = 1e-5,
                       .pad_id = 11},
          .rope = kRope,
          .read = read_ministral3,
          .write = write_ministral3};
}

}  // namespace lmpo
