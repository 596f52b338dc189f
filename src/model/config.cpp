#include "model/config.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/log.h"

namespace lmpo {
namespace {

// Beyond these a number is a mistake, and products of sizes stay far from overflow.
constexpr std::int64_t largest_vocabulary = 1 << 24;
constexpr std::int64_t largest_width = 1 << 20;
constexpr std::int64_t most_layers = 10000;
constexpr std::int64_t longest_context = (std::int64_t{1} << 31) - 1;  // an int32 counts it

// One of config.json's objects. An absent key has a default, null is a value of its own, and every
// error names the key.
class Reader {
 public:
  Reader(const json& object, std::string_view source) : object_(object), source_(source) {}

  bool has(std::string_view key) const {  // and it is not null
    const auto found = object_.find(key);
    return found != object_.end() && !found->is_null();
  }
  bool absent(std::string_view key) const { return !object_.contains(key); }
  std::string_view source() const { return source_; }
  const json& at(std::string_view key) const { return object_.at(std::string(key)); }

  template <typename T>
  T value(std::string_view key, const T& fallback) const {
    return absent(key) ? fallback : required<T>(object_, key, source_);
  }
  std::int64_t size(std::string_view key, std::int64_t fallback, std::int64_t largest) const {
    const std::int64_t result = value<std::int64_t>(key, fallback);
    if (result < 1 || result > largest) {
      wrong(key, "must be between 1 and {}, not {}", largest, result);
    }
    return result;
  }
  double positive(std::string_view key, double fallback) const {
    const double result = value<double>(key, fallback);
    if (!(result > 0) || !std::isfinite(result)) {
      wrong(key, "must be a positive number, not {}", result);
    }
    return result;
  }
  double needed(std::string_view key) const {
    required<double>(object_, key, source_);
    return positive(key, 0);
  }

  template <typename... Args>
  [[noreturn]] void wrong(std::string_view key, fmt::format_string<Args...> format,
                          Args&&... args) const {
    user_error("{}: key '{}': {}", source_, key, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  const json& object_;
  std::string_view source_;
};

std::string read_family(const Reader& reader) {
  if (!reader.has("model_type")) {
    user_error("{}: the key 'model_type' is missing; llama and mistral are supported",
               reader.source());
  }
  std::string name = reader.value<std::string>("model_type", "");
  if (name != "llama" && name != "mistral") {
    reader.wrong("model_type", "'{}' is not supported; llama and mistral are", name);
  }
  return name;
}

// What would change the model's arithmetic in a way lmpo does not compute.
void refuse_unsupported(const Reader& reader) {
  const std::string activation = reader.value<std::string>("hidden_act", "silu");
  if (activation != "silu") {
    reader.wrong("hidden_act", "'{}' is not supported; silu is", activation);
  }
  for (const char* key : {"attention_bias", "mlp_bias"}) {
    if (reader.has(key) && reader.value<bool>(key, false)) {
      reader.wrong(key, "true is not supported: projections have no bias in lmpo");
    }
  }
  if (reader.has("quantization_config")) {
    reader.wrong(
        "quantization_config",
        "quantized weights are not supported; use the model's float32, bfloat16 or float16 "
        "checkpoint");
  }
  if (reader.has("pretraining_tp") && reader.value<std::int64_t>("pretraining_tp", 1) > 1) {
    reader.wrong("pretraining_tp", "more than 1 is not supported; 1 gives the same model");
  }
  if (reader.has("attention_dropout") && reader.value<double>("attention_dropout", 0) > 0) {
    log_warning("attention_dropout of config.json is not applied: lmpo trains without dropout");
  }
}

void refuse_partial_rotation(const Reader& reader) {
  if (reader.has("partial_rotary_factor") &&
      reader.value<double>("partial_rotary_factor", 1) != 1) {
    reader.wrong("partial_rotary_factor", "other than 1 is not supported");
  }
}

RopeScaling read_scaling(const Reader& rope, const Reader& reader, std::int64_t max_positions) {
  RopeScaling scaling;
  const char* type_key = rope.has("rope_type") ? "rope_type" : "type";
  const std::string type =
      rope.has(type_key) ? rope.value<std::string>(type_key, "") : std::string("default");
  if (type == "default") {
    return scaling;
  }
  if (type != "linear" && type != "llama3") {
    rope.wrong(type_key, "'{}' is not supported; default, linear and llama3 are", type);
  }
  scaling.factor = rope.needed("factor");
  if (type == "linear") {
    scaling.kind = RopeScaling::Kind::linear;
    return scaling;
  }
  scaling.kind = RopeScaling::Kind::llama3;
  scaling.low_frequency_factor = rope.needed("low_freq_factor");
  scaling.high_frequency_factor = rope.needed("high_freq_factor");
  if (scaling.high_frequency_factor <= scaling.low_frequency_factor) {
    rope.wrong("high_freq_factor", "must be greater than low_freq_factor");
  }
  // transformers lets the number beside the others win over the nested one.
  constexpr const char* original = "original_max_position_embeddings";
  scaling.original_positions = reader.has(original)
                                   ? reader.size(original, 0, longest_context)
                                   : rope.size(original, max_positions, longest_context);
  return scaling;
}

struct Rope {
  double theta = 10000.0;
  RopeScaling scaling;
  bool operator==(const Rope&) const = default;
};

Rope read_rope(const json& object, std::string_view source, std::int64_t max_positions) {
  const Reader reader(object, source);
  refuse_partial_rotation(reader);
  json nested = json::object();
  for (const char* key : {"rope_parameters", "rope_scaling"}) {  // transformers: the latter wins
    if (!reader.has(key)) {
      continue;
    }
    const json& found = reader.at(key);
    if (!found.is_object()) {
      reader.wrong(key, "an object or null was expected");
    }
    for (const auto& [name, value] : found.items()) {
      if (value.is_object()) {
        reader.wrong(key, "parameters by layer type ('{}') are not supported", name);
      }
    }
    nested = found.empty() ? nested : found;
  }
  const std::string where = fmt::format("{}: rope parameters", source);
  const Reader rope(nested, where);
  refuse_partial_rotation(rope);
  Rope result;
  result.theta = rope.has("rope_theta") ? rope.positive("rope_theta", 0)
                                        : reader.positive("rope_theta", result.theta);
  result.scaling = read_scaling(rope, reader, max_positions);
  return result;
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

std::optional<std::int64_t> read_id(const Reader& reader, const char* key,
                                    std::optional<std::int64_t> fallback, std::int64_t vocab_size) {
  if (reader.absent(key)) {
    return fallback;
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

Dtype read_config_dtype(const Reader& reader) {
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

void read_sizes(ModelConfig& config, const Reader& reader) {
  const bool mistral = config.family == "mistral";
  config.vocab_size = reader.size("vocab_size", 32000, largest_vocabulary);
  config.hidden_size = reader.size("hidden_size", 4096, largest_width);
  config.intermediate_size =
      reader.size("intermediate_size", mistral ? 14336 : 11008, largest_width);
  config.layers = reader.size("num_hidden_layers", 32, most_layers);
  config.heads = reader.size("num_attention_heads", 32, largest_width);
  config.max_positions =
      reader.size("max_position_embeddings", mistral ? 131072 : 2048, longest_context);
}

void read_heads(ModelConfig& config, const Reader& reader) {
  constexpr const char* key_heads = "num_key_value_heads";
  config.key_heads = reader.absent(key_heads) && config.family == "mistral" ? 8
                     : reader.has(key_heads) ? reader.size(key_heads, 0, largest_width)
                                             : config.heads;
  if (config.heads % config.key_heads != 0) {
    reader.wrong(key_heads, "{} does not divide num_attention_heads {}", config.key_heads,
                 config.heads);
  }
  const bool explicit_size = reader.has("head_dim");
  // transformers asks this of every Llama.
  if ((!explicit_size || config.family == "llama") && config.hidden_size % config.heads != 0) {
    reader.wrong("hidden_size", "{} is not a multiple of num_attention_heads {}",
                 config.hidden_size, config.heads);
  }
  config.head_size =
      explicit_size ? reader.size("head_dim", 0, largest_width) : config.hidden_size / config.heads;
  if (config.head_size % 2 != 0) {
    reader.wrong(explicit_size ? "head_dim" : "hidden_size",
                 "the head size {} is odd; rotary embeddings need an even one", config.head_size);
  }
  if (config.heads > largest_width / config.head_size) {
    reader.wrong("num_attention_heads", "{} heads of size {} are wider than {}", config.heads,
                 config.head_size, largest_width);
  }
}

void read_window(ModelConfig& config, const Reader& reader) {
  if (config.family == "mistral") {
    const bool none = !reader.absent("sliding_window") && !reader.has("sliding_window");
    config.sliding_window = none ? 0 : reader.size("sliding_window", 4096, longest_context);
  }
}

// --- writing

// Sets a key whose value differs; one that says the same keeps its spelling (1, 1.0, [2]).
void put(ordered_json& object, const char* key, const ordered_json& value) {
  if (!object.contains(key) || object[key] != value) {
    object[key] = value;
  }
}

ordered_json id_or_null(std::optional<std::int64_t> id) {
  return id ? ordered_json(*id) : ordered_json();
}

ordered_json eos_value(const std::vector<std::int64_t>& ids) {
  return ids.empty() ? ordered_json() : ids.size() == 1 ? ordered_json(ids[0]) : ordered_json(ids);
}

// The shortest decimal that reads back as the same float32: 1e-05, not 9.99999974737875e-06.
double shortest(float value) {
  return std::stod(fmt::format("{}", value));
}

// Both spellings: transformers 5 reads rope_scaling and rope_theta too, 4 reads nothing else.
void put_rope(ordered_json& object, const ModelConfig& config) {
  const Rope rope{config.rope_theta, config.rope_scaling};
  if (read_rope(json(object), "config", config.max_positions) != rope) {
    for (const char* key :
         {"rope_parameters", "rope_scaling", "rope_theta", "original_max_position_embeddings"}) {
      object.erase(key);
    }
  }
  // A nested one wins where there are both, but not for those who read this one alone.
  const auto theta = object.find("rope_theta");
  if (theta == object.end() || !theta->is_number() || theta->get<double>() != rope.theta) {
    object["rope_theta"] = rope.theta;
  }
  const bool has_scaling = !object.value("rope_scaling", ordered_json()).empty();
  if (rope.scaling.kind == RopeScaling::Kind::none || has_scaling) {
    return;
  }
  ordered_json scaling = {{"rope_type", "linear"}, {"factor", rope.scaling.factor}};
  if (rope.scaling.kind == RopeScaling::Kind::llama3) {
    scaling["rope_type"] = "llama3";
    scaling["low_freq_factor"] = rope.scaling.low_frequency_factor;
    scaling["high_freq_factor"] = rope.scaling.high_frequency_factor;
    scaling["original_max_position_embeddings"] = rope.scaling.original_positions;
  }
  object["rope_scaling"] = scaling;
}

}  // namespace

ModelConfig parse_model_config(const ordered_json& content, const std::string& source) {
  const json object(content);
  if (!object.is_object()) {
    user_error("{}: a JSON object was expected", source);
  }
  const Reader reader(object, source);
  ModelConfig config;
  config.original = content;
  config.family = read_family(reader);
  refuse_unsupported(reader);
  read_sizes(config, reader);
  read_heads(config, reader);
  read_window(config, reader);
  config.rms_norm_eps = static_cast<float>(reader.positive("rms_norm_eps", 1e-6));
  const Rope rope = read_rope(object, source, config.max_positions);
  config.rope_theta = rope.theta;
  config.rope_scaling = rope.scaling;
  config.tie_word_embeddings = reader.value<bool>("tie_word_embeddings", false);
  config.initializer_range = reader.value<double>("initializer_range", 0.02);
  if (config.initializer_range < 0 || config.initializer_range > 1) {
    reader.wrong("initializer_range", "must be between 0 and 1");
  }
  config.bos_id = read_id(reader, "bos_token_id", 1, config.vocab_size);
  config.pad_id = read_id(reader, "pad_token_id", {}, config.vocab_size);
  config.eos_ids = read_eos(object.value("eos_token_id", json(2)), config.vocab_size, source);
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
  const std::string text = read_file(file);
  parse_json(text, file.string());  // for its errors: the next line's are not for people
  return parse_model_config(ordered_json::parse(text), file.string());
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
  const bool llama = config.family == "llama";
  if (object.empty()) {
    object["architectures"] = {llama ? "LlamaForCausalLM" : "MistralForCausalLM"};
  }
  put(object, "model_type", config.family);
  put(object, "vocab_size", config.vocab_size);
  put(object, "hidden_size", config.hidden_size);
  put(object, "intermediate_size", config.intermediate_size);
  put(object, "num_hidden_layers", config.layers);
  put(object, "num_attention_heads", config.heads);
  put(object, "num_key_value_heads", config.key_heads);
  put(object, "head_dim", config.head_size);
  put(object, "hidden_act", "silu");
  put(object, "max_position_embeddings", config.max_positions);
  if (!object.contains("rms_norm_eps") ||
      static_cast<float>(object["rms_norm_eps"].get<double>()) != config.rms_norm_eps) {
    object["rms_norm_eps"] = shortest(config.rms_norm_eps);
  }
  put_rope(object, config);
  if (!llama) {
    put(object, "sliding_window",
        config.sliding_window == 0 ? ordered_json() : ordered_json(config.sliding_window));
  }
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

void write_model_config(const ModelConfig& config, Dtype dtype, const fs::path& folder) {
  write_file_atomically(folder / "config.json", config_to_json(config, dtype).dump(2) + "\n");
}

}  // namespace lmpo
