#include "model/config.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/log.h"
#include "model/family.h"
#include "model/text_config.h"

namespace lmpo {
namespace {

const Family& read_family(const ConfigReader& reader) {
  if (!reader.has("model_type")) {
    user_error("{}: the key 'model_type' is missing; {} are supported", reader.source(),
               family_names());
  }
  return find_family(reader.value<std::string>("model_type", ""),
                     fmt::format("{}: key 'model_type'", reader.source()));
}

// What would change the model's arithmetic in a way lmpo does not compute.
void refuse_unsupported(const ConfigReader& reader) {
  for (const char* key : {"num_local_experts", "num_experts", "n_routed_experts"}) {
    if (reader.has(key) && reader.value<std::int64_t>(key, 0) > 0) {
      reader.wrong(key, "models with experts are not supported");
    }
  }
  if (reader.has("quantization_config")) {
    reader.wrong(
        "quantization_config",
        "quantized weights are not supported; use the model's float32, bfloat16 or float16 "
        "checkpoint");
  }
  for (const char* key : {"attention_dropout", "resid_pdrop", "embd_pdrop"}) {
    if (reader.has(key) && reader.value<double>(key, 0) > 0) {
      log_warning("{} of config.json is not applied: lmpo trains without dropout", key);
    }
  }
}

std::optional<Activation> activation_named(const Family& family, std::string_view name) {
  // Gemma's first releases mean the approximation where they say gelu.
  const bool legacy = family.defaults.activation == Activation::gelu_tanh && name == "gelu";
  return name == "silu"                          ? std::optional(Activation::silu)
         : name == "gelu_pytorch_tanh" || legacy ? std::optional(Activation::gelu_tanh)
                                                 : std::nullopt;
}

Activation read_activation(const ConfigReader& reader, const Family& family) {
  if (reader.absent(family.activation_key)) {
    return family.defaults.activation;
  }
  const auto name = reader.value<std::string>(family.activation_key, "");
  const std::optional<Activation> activation = activation_named(family, name);
  if (!activation) {
    reader.wrong(family.activation_key, "'{}' is not supported; silu and gelu_pytorch_tanh are",
                 name);
  }
  return *activation;
}

void put_activation(ordered_json& object, const Family& family, Activation activation) {
  ordered_json& name = object[family.activation_key];
  if (!name.is_string() || activation_named(family, name.get<std::string>()) != activation) {
    name = activation == Activation::silu ? "silu" : "gelu_pytorch_tanh";
  }
}

// Ids outside the vocabulary are found on the Hub (a pad id of -1); no token has them.
bool is_token(std::int64_t id, std::int64_t vocab_size, const char* key, std::string_view source) {
  const bool inside = id >= 0 && id < vocab_size;
  if (!inside) {
    log_warning("{}: key '{}': {} is outside the vocabulary of {} and is ignored", source, key, id,
                vocab_size);
  }
  return inside;
}

std::optional<std::int64_t> read_id(const ConfigReader& reader, const char* key,
                                    std::optional<std::int64_t> fallback, std::int64_t vocab_size) {
  if (reader.absent(key)) {  // a small model's vocabulary may end before its family's usual id
    return fallback && *fallback < vocab_size ? fallback : std::nullopt;
  }
  if (!reader.has(key)) {
    return std::nullopt;
  }
  const std::int64_t id = reader.value<std::int64_t>(key, 0);
  return is_token(id, vocab_size, key, reader.source()) ? std::optional(id) : std::nullopt;
}

// One id, a list of them, or null.
std::vector<std::int64_t> read_eos(const json& value, std::int64_t vocab_size,
                                   std::string_view source) {
  constexpr const char* key = "eos_token_id";
  std::vector<std::int64_t> ids;
  for (const json& id : value.is_array() ? value : json::array({value})) {
    if (value.is_null()) {
      break;
    }
    const auto number = required<std::int64_t>(json{{key, id}}, key, source);
    if (is_token(number, vocab_size, key, source)) {
      ids.push_back(number);
    }
  }
  return ids;
}

Dtype read_config_dtype(const ConfigReader& reader) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (!reader.has(key)) {
      continue;
    }
    const std::string name = reader.value<std::string>(key, "");
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
      if (name == dtype_name(dtype) || name == fmt::format("torch.{}", dtype_name(dtype))) {
        return dtype;
      }
    }
    reader.wrong(key, "'{}' is not supported; float32, bfloat16 and float16 are", name);
  }
  return Dtype::f32;
}

void read_sizes(const ConfigReader& reader, const ConfigDefaults& defaults, ModelConfig& config) {
  config.vocab_size = reader.size("vocab_size", defaults.vocab_size, kLargestVocabulary);
  config.hidden_size = reader.size("hidden_size", defaults.hidden_size, kLargestWidth);
  config.intermediate_size =
      reader.size("intermediate_size", defaults.intermediate_size, kLargestWidth);
  config.layers = reader.size("num_hidden_layers", defaults.layers, kMostLayers);
  config.heads = reader.size("num_attention_heads", defaults.heads, kLargestWidth);
  config.max_positions =
      reader.size("max_position_embeddings", defaults.max_positions, kLongestContext);
}

// The head size where config.json does not give it; 0 where it must.
std::int64_t usual_head_size(const ModelConfig& config) {
  return config.hidden_size % config.heads == 0 ? config.hidden_size / config.heads : 0;
}

void read_heads(const ConfigReader& reader, const ConfigDefaults& defaults, ModelConfig& config) {
  constexpr const char* kKeyHeads = "num_key_value_heads";
  const bool is_null = !reader.absent(kKeyHeads) && !reader.has(kKeyHeads);
  const std::int64_t usual = defaults.key_heads.value_or(config.heads);
  config.key_heads = is_null ? config.heads : reader.size(kKeyHeads, usual, kLargestWidth);
  if (config.heads % config.key_heads != 0) {
    reader.wrong(kKeyHeads, "{} does not divide num_attention_heads {}", config.key_heads,
                 config.heads);
  }
  constexpr const char* kKeySize = "head_dim";
  const bool explicit_size = reader.has(kKeySize);
  const bool usual_size = !explicit_size && !(reader.absent(kKeySize) && defaults.head_size);
  config.head_size = usual_size
                         ? usual_head_size(config)
                         : reader.size(kKeySize, defaults.head_size.value_or(0), kLargestWidth);
  if (config.head_size == 0) {
    reader.wrong("hidden_size", "{} is not a multiple of num_attention_heads {}",
                 config.hidden_size, config.heads);
  }
  if (config.head_size % 2 != 0) {
    reader.wrong(explicit_size ? kKeySize : "hidden_size",
                 "the head size {} is odd; rotary embeddings need an even one", config.head_size);
  }
  if (config.heads > kLargestWidth / config.head_size) {
    reader.wrong("num_attention_heads", "{} heads of size {} are wider than {}", config.heads,
                 config.head_size, kLargestWidth);
  }
}

ordered_json id_or_null(std::optional<std::int64_t> id) {
  return id ? ordered_json(*id) : ordered_json();
}

ordered_json eos_value(const std::vector<std::int64_t>& ids) {
  return ids.empty() ? ordered_json() : ids.size() == 1 ? ordered_json(ids[0]) : ordered_json(ids);
}

// What a family's own keys may change.
void set_usual_block(ModelConfig& config) {
  config.layer_attention.assign(static_cast<std::size_t>(config.layers), LayerAttention());
  config.attention_scale = 1.0F / std::sqrt(static_cast<float>(config.head_size));
}

void read_ids(const ConfigReader& reader, const ConfigDefaults& defaults, ModelConfig& config) {
  config.bos_id = read_id(reader, "bos_token_id", defaults.bos_id, config.vocab_size);
  config.pad_id = read_id(reader, "pad_token_id", defaults.pad_id, config.vocab_size);
  if (!reader.absent("eos_token_id")) {
    config.eos_ids = read_eos(reader.at("eos_token_id"), config.vocab_size, reader.source());
  } else if (defaults.eos_id && *defaults.eos_id < config.vocab_size) {
    config.eos_ids = {*defaults.eos_id};
  }
}

}  // namespace

ModelConfig parse_model_config(const ordered_json& content, const std::string& source) {
  if (!content.is_object()) {
    user_error("{}: a JSON object was expected", source);
  }
  ModelConfig config;
  config.original = language_model_config(content, source);
  const json object(config.original);
  const ConfigReader reader(object, source);
  const Family& family = read_family(reader);
  config.family = family.model_type;
  refuse_unsupported(reader);
  read_sizes(reader, family.defaults, config);
  read_heads(reader, family.defaults, config);
  config.activation = read_activation(reader, family);
  config.ropes = read_ropes(reader, family.rope, config);
  set_usual_block(config);
  family.read(reader, config);
  config.rms_norm_eps = reader.positive_float("rms_norm_eps", family.defaults.rms_norm_eps);
  config.tie_word_embeddings = reader.value<bool>("tie_word_embeddings", family.defaults.tied);
  config.initializer_range = reader.value<double>("initializer_range", 0.02);
  if (config.initializer_range < 0 || config.initializer_range > 1) {
    reader.wrong("initializer_range", "must be between 0 and 1");
  }
  read_ids(reader, family.defaults, config);
  config.dtype = read_config_dtype(reader);
  return config;
}

ModelConfig read_model_config(const fs::path& path) {
  fs::path file = path;
  if (!fs::is_regular_file(path)) {
    require_model_folder(path);
    file = path / "config.json";
    if (!fs::exists(file)) {
      user_error("{}: there is no config.json; a Hugging Face model folder was expected",
                 path.string());
    }
  }
  return parse_model_config(parse_ordered_json(read_file(file), file.string()), file.string());
}

std::vector<std::int64_t> read_stop_ids(const fs::path& folder, const ModelConfig& config) {
  const fs::path file = folder / "generation_config.json";
  const json object = fs::exists(file) ? read_json(file) : json::object();
  const bool says_so = object.is_object() && !object.value("eos_token_id", json()).is_null();
  return says_so ? read_eos(object["eos_token_id"], config.vocab_size, file.string())
                 : config.eos_ids;
}

ordered_json config_to_json(const ModelConfig& config, Dtype dtype) {
  ordered_json object = config.original;
  const Family& family = find_family(config.family);
  if (object.empty()) {
    object["architectures"] = {fmt::format("{}ForCausalLM", family.class_prefix)};
  }
  put(object, "model_type", config.family);
  put(object, "vocab_size", config.vocab_size);
  put(object, "hidden_size", config.hidden_size);
  put(object, "intermediate_size", config.intermediate_size);
  put(object, "num_hidden_layers", config.layers);
  put(object, "num_attention_heads", config.heads);
  put(object, "num_key_value_heads", config.key_heads);
  put(object, "head_dim", config.head_size);
  put_activation(object, family, config.activation);
  put(object, "max_position_embeddings", config.max_positions);
  put_float(object, "rms_norm_eps", config.rms_norm_eps);
  put_ropes(object, family.rope, config);
  family.write(config, object);
  put(object, "tie_word_embeddings", config.tie_word_embeddings);
  put(object, "initializer_range", config.initializer_range);
  put(object, "bos_token_id", id_or_null(config.bos_id));
  if (!object.contains("eos_token_id") || object["eos_token_id"] != ordered_json(config.eos_ids)) {
    put(object, "eos_token_id", eos_value(config.eos_ids));
  }
  put(object, "pad_token_id", id_or_null(config.pad_id));
  object["torch_dtype"] = dtype_name(dtype);
  if (object.contains("dtype")) {
    object["dtype"] = dtype_name(dtype);
  }
  object["use_cache"] = true;
  return object;
}

std::int64_t widest_window(const ModelConfig& config) {
  std::int64_t widest = 0;
  for (const LayerAttention& layer : config.layer_attention) {
    widest = std::max(widest, layer.window);
  }
  return widest;
}

void write_model_config(const ModelConfig& config, Dtype dtype, const fs::path& folder) {
  write_file_atomically(folder / "config.json", config_to_json(config, dtype).dump(2) + "\n");
}

}  // namespace lmpo
