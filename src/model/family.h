// The model families: what config.json's model_type names.
//
// Each is defined in the file of its name in families/. Common keys are read and written by
// config.cpp; a family says their defaults and adds its own keys. The tensors of a layer follow from
// the configuration (add_layer), unless a family stores them otherwise.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/config.h"
#include "model/config_reader.h"
#include "model/rope_config.h"
#include "model/tensor_table.h"

namespace lmpo {

// What transformers takes for a key that config.json does not have.
struct ConfigDefaults {
  std::int64_t vocab_size = 32000;
  std::int64_t hidden_size = 4096;
  std::int64_t intermediate_size = 0;
  std::int64_t layers = 32;
  std::int64_t heads = 32;
  std::optional<std::int64_t> key_heads = {};  // none: as many as query heads
  std::optional<std::int64_t> head_size = {};  // none: hidden_size / heads
  std::int64_t max_positions = 0;
  double rms_norm_eps = 1e-6;
  Activation activation = Activation::silu;
  bool tied = false;
  std::optional<std::int64_t> bos_id = 1;
  std::optional<std::int64_t> eos_id = 2;
  std::optional<std::int64_t> pad_id = {};
};

struct Family {
  std::string_view model_type;         // "llama"
  std::string_view class_prefix;       // "Llama", of transformers' LlamaForCausalLM
  std::string_view gguf_architecture;  // llama.cpp's name, with which its keys begin
  // Whether llama.cpp turns neighbours (2j, 2j + 1) of a head, where transformers turns its halves
  // (j, j + E/2).
  bool gguf_turns_pairs = false;
  const char* activation_key = "hidden_act";
  ConfigDefaults defaults;
  RopeRules rope = {};

  // Reads the family's own keys into `config`, whose common fields are read already. UserError for
  // what lmpo does not compute.
  void (*read)(const ConfigReader& reader, ModelConfig& config);
  // Sets the family's own keys of config.json.
  void (*write)(const ModelConfig& config, ordered_json& object);
  void (*add_layer)(const ModelConfig& config, LayerTable& table) = lmpo::add_layer;
};

// Keys that several families have. attention_bias: of all four projections.
void read_biases(const ConfigReader& reader, ModelConfig& config);
// transformers asks it of some families even where head_dim is given: UserError where
// num_attention_heads does not divide hidden_size.
void require_equal_heads(const ConfigReader& reader, const ModelConfig& config);

std::span<const Family> families();
// UserError for a name that is none: `place` says where it stands ("config.json: key 'model_type'").
// Of known relatives it says what they need that lmpo does not have.
const Family& find_family(std::string_view model_type, std::string_view place = "model_type");
// The names of all, for messages: "llama, mistral and qwen2".
std::string family_names();

}  // namespace lmpo
