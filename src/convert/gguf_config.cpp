#include "convert/gguf_config.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "convert/gguf_rope.h"
#include "convert/gguf_tokenizer.h"
#include "model/config_reader.h"
#include "model/family.h"

namespace lmpo {
namespace {

enum class KeyKind : std::uint8_t { size, real };

// A key of the architecture ("llama.context_length") and config.json's word for it.
struct ConfigKey {
  std::string_view gguf;
  const char* config;
  KeyKind kind;
};

constexpr auto kCommonKeys = std::to_array<ConfigKey>({
    {"context_length", "max_position_embeddings", KeyKind::size},
    {"embedding_length", "hidden_size", KeyKind::size},
    {"block_count", "num_hidden_layers", KeyKind::size},
    {"feed_forward_length", "intermediate_size", KeyKind::size},
    {"attention.head_count", "num_attention_heads", KeyKind::size},
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps", KeyKind::real},
});

// What llama.cpp also reads for an architecture. All may be absent.
struct OwnKeys {
  std::string_view architecture;
  std::vector<ConfigKey> keys;
};

const std::vector<OwnKeys>& own_keys() {
  static const std::vector<OwnKeys> table = {
      {"gemma2",
       {{"attn_logit_softcapping", "attn_logit_softcapping", KeyKind::real},
        {"final_logit_softcapping", "final_logit_softcapping", KeyKind::real},
        {"attention.sliding_window", "sliding_window", KeyKind::size}}},
      {"gemma3",
       {{"final_logit_softcapping", "final_logit_softcapping", KeyKind::real},
        {"attention.sliding_window", "sliding_window", KeyKind::size},
        {"rope.freq_base_swa", "rope_local_base_freq", KeyKind::real}}},
      {"phi3", {{"attention.sliding_window", "sliding_window", KeyKind::size}}},
      {"olmo2", {{"attention.sliding_window", "sliding_window", KeyKind::size}}},
      {"granite",
       {{"attention.scale", "attention_multiplier", KeyKind::real},
        {"embedding_scale", "embedding_multiplier", KeyKind::real},
        {"residual_scale", "residual_multiplier", KeyKind::real},
        {"logit_scale", "logits_scaling", KeyKind::real}}},
  };
  return table;
}

// Keys of an architecture that are read elsewhere in this module, or say nothing of the arithmetic.
constexpr auto kOtherKeys = std::to_array<std::string_view>(
    {"vocab_size", "attention.head_count_kv", "attention.key_length", "attention.value_length",
     "attention.sliding_window_pattern", "expert_count", "expert_used_count",
     "tensor_data_layout"});

class ConfigWriter {
 public:
  explicit ConfigWriter(const GgufFile& file)
      : file_(file),
        keys_(file.keys()),
        architecture_(keys_.at<std::string>("general.architecture")) {}

  ordered_json write() {
    const Family& family = find_by_architecture();
    object_["architectures"] = {fmt::format("{}ForCausalLM", family.class_prefix)};
    object_["model_type"] = family.model_type;
    refuse_experts();
    object_["vocab_size"] = embedding_rows();
    for (const ConfigKey& key : kCommonKeys) {
      require(key);
    }
    put_heads();
    for (const OwnKeys& own : own_keys()) {
      if (own.architecture == architecture_) {
        std::ranges::for_each(own.keys, [&](const ConfigKey& key) { put(key); });
      }
    }
    put_windows();
    put_gguf_rope(file_, architecture_, head_size_, object_);
    put_switches();
    put_ids();
    warn_of_unknown_keys();
    return std::move(object_);
  }

 private:
  std::string full(std::string_view key) const { return fmt::format("{}.{}", architecture_, key); }

  // OLMo 3 is OLMo 2 with windows.
  const Family& find_by_architecture() const {
    const bool windows = keys_.find<std::int64_t>(full("attention.sliding_window")).value_or(0) > 0;
    std::set<std::string_view> known;
    const Family* found = nullptr;
    for (const Family& family : families()) {
      known.insert(family.gguf_architecture);
      const bool matches = family.gguf_architecture == architecture_;
      if (matches && (found == nullptr || (windows && family.model_type == "olmo3"))) {
        found = &family;
      }
    }
    if (found == nullptr) {
      user_error("{}: key 'general.architecture': '{}' is not supported; these are: {}",
                 keys_.source(), architecture_, fmt::join(known, ", "));
    }
    return *found;
  }

  void refuse_experts() const {
    if (keys_.find<std::int64_t>(full("expert_count")).value_or(0) > 0) {
      user_error("{}: key '{}': models with experts are not supported", keys_.source(),
                 full("expert_count"));
    }
  }

  std::int64_t embedding_rows() const {
    const StoredGgufTensor* embedding = file_.find("token_embd.weight");
    if (embedding == nullptr) {
      user_error("{}: there is no tensor 'token_embd.weight'; this is no language model",
                 keys_.source());
    }
    return embedding->shape.front();
  }

  bool put(const ConfigKey& key) {
    if (!keys_.has(full(key.gguf))) {
      return false;
    }
    if (key.kind == KeyKind::size) {
      object_[key.config] = keys_.at<std::int64_t>(full(key.gguf));
    } else {
      object_[key.config] = gguf_decimal(keys_.at<double>(full(key.gguf)));
    }
    return true;
  }
  void require(const ConfigKey& key) {
    if (!put(key)) {
      user_error("{}: the key '{}' is missing", keys_.source(), full(key.gguf));
    }
  }

  void put_heads() {
    const auto heads = object_["num_attention_heads"].get<std::int64_t>();
    const auto width = object_["hidden_size"].get<std::int64_t>();
    if (heads < 1 || width < heads) {
      user_error("{}: {} heads of {} columns are not possible", keys_.source(), heads, width);
    }
    object_["num_key_value_heads"] =
        keys_.find<std::int64_t>(full("attention.head_count_kv")).value_or(heads);
    head_size_ = keys_.find<std::int64_t>(full("attention.key_length")).value_or(width / heads);
    object_["head_dim"] = head_size_;
    if (head_size_ < 1) {
      user_error("{}: key '{}': at least 1 was expected, not {}", keys_.source(),
                 full("attention.key_length"), head_size_);
    }
    const auto values = keys_.find<std::int64_t>(full("attention.value_length"));
    if (values && *values != head_size_) {
      user_error(
          "{}: heads of values ({}) that are not as wide as those of keys ({}) are not "
          "supported",
          keys_.source(), *values, head_size_);
    }
    // llama.cpp knows the two models that scale otherwise by their number of layers.
    const auto layers = object_["num_hidden_layers"].get<std::int64_t>();
    if (architecture_ == "gemma2" || architecture_ == "gemma3") {
      const bool is_27b = layers == (architecture_ == "gemma2" ? 46 : 62);
      object_["query_pre_attn_scalar"] = is_27b ? width / heads : head_size_;
    }
  }

  // Which layers have a window: a list that says so, or all but every n-th; without a key, n is
  // transformers' and llama.cpp's own for the family.
  void put_windows() {
    if (!object_.contains("sliding_window")) {
      return put_full_layers();
    }
    if (object_["sliding_window"] == 0) {
      object_["sliding_window"] = nullptr;
      return put_full_layers();
    }
    const auto layers = object_["num_hidden_layers"].get<std::int64_t>();
    const std::string key = full("attention.sliding_window_pattern");
    std::vector<std::int64_t> slides;
    if (keys_.holds<std::vector<std::int64_t>>(key)) {
      slides = keys_.at<std::vector<std::int64_t>>(key);
    } else if (keys_.has(key)) {
      const auto period = keys_.at<std::int64_t>(key);
      for (std::int64_t l = 0; l < layers && layers <= kMostLayers; ++l) {
        slides.push_back(period > 0 && (l + 1) % period != 0 ? 1 : 0);
      }
    } else {
      return;
    }
    if (std::ssize(slides) != layers) {
      user_error("{}: key '{}': one value a layer was expected: {}, not {}", keys_.source(), key,
                 layers, slides.size());
    }
    for (const std::int64_t slide : slides) {
      object_["layer_types"].push_back(slide != 0 ? "sliding_attention" : "full_attention");
    }
  }

  // Gemma 3 has windows where config.json does not say otherwise.
  void put_full_layers() {
    const auto layers = object_["num_hidden_layers"].get<std::int64_t>();
    for (std::int64_t l = 0; architecture_ == "gemma3" && l < std::min(layers, kMostLayers); ++l) {
      object_["layer_types"].push_back("full_attention");
    }
  }

  // What only the tensors tell.
  void put_switches() {
    if (architecture_ != "qwen2" && file_.find("blk.0.attn_q.bias") != nullptr) {
      object_["attention_bias"] = true;
    }
    if (file_.find("blk.0.ffn_gate.bias") != nullptr) {
      object_["mlp_bias"] = true;
    }
    object_["tie_word_embeddings"] = file_.find("output.weight") == nullptr;
  }

  void put_ids() {
    for (const auto& [name, config] :
         {std::pair("bos", "bos_token_id"), std::pair("eos", "eos_token_id"),
          std::pair("padding", "pad_token_id")}) {
      const auto id = keys_.find<std::int64_t>(fmt::format("tokenizer.ggml.{}_token_id", name));
      object_[config] = id ? ordered_json(*id) : ordered_json();
    }
  }

  void warn_of_unknown_keys() const {
    for (const std::string& name : keys_.names()) {
      const std::string prefix = architecture_ + ".";
      if (name.starts_with(prefix) && !is_known(name.substr(prefix.size()))) {
        log_warning("{}: the key '{}' is not known; what it asks for is not done", keys_.source(),
                    name);
      }
    }
  }
  bool is_known(std::string_view key) const {
    const auto in = [&](const auto& list) {
      return std::ranges::find(list, key, &ConfigKey::gguf) != list.end();
    };
    const auto own = std::ranges::find(own_keys(), architecture_, &OwnKeys::architecture);
    return in(kCommonKeys) || (own != own_keys().end() && in(own->keys)) ||
           std::ranges::find(kOtherKeys, key) != kOtherKeys.end() || is_gguf_rope_key(key);
  }

  const GgufFile& file_;
  const GgufKeys& keys_;
  std::string architecture_;
  std::int64_t head_size_ = 0;
  ordered_json object_;
};

}  // namespace

ordered_json gguf_config(const GgufFile& file) {
  return ConfigWriter(file).write();
}

}  // namespace lmpo
