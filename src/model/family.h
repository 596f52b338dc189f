// The model families: what config.json's model_type names.
//
// Each is defined in the file of its name in families/. Common keys are read and written by
// config.cpp; a family adds its own keys, and the table of a layer's tensors.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/config.h"
#include "model/config_reader.h"
#include "model/tensor_table.h"

namespace lmpo {

// What transformers takes for a key that config.json does not have.
struct ConfigDefaults {
  std::int64_t intermediate_size = 0;
  std::int64_t max_positions = 0;
  std::optional<std::int64_t> key_heads = {};  // none: as many as query heads
};

struct Family {
  std::string_view model_type;         // "llama"
  std::string_view class_prefix;       // "Llama", of transformers' LlamaForCausalLM
  std::string_view gguf_architecture;  // llama.cpp's name, with which its keys begin
  ConfigDefaults defaults;

  // Reads the family's own keys into `config`, whose common fields are read already. UserError for
  // what lmpo does not compute.
  void (*read)(const ConfigReader& reader, ModelConfig& config);
  // Sets the family's own keys of config.json.
  void (*write)(const ModelConfig& config, ordered_json& object);
  void (*add_layer)(const ModelConfig& config, LayerTable& table) = add_llama_layer;
};

std::span<const Family> families();
// UserError for a name that is none: `place` says where it stands ("config.json: key 'model_type'").
const Family& find_family(std::string_view model_type, std::string_view place = "model_type");
// The names of all, for messages: "llama and mistral".
std::string family_names();

}  // namespace lmpo
