#include "convert/gguf_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"
#include "convert/gguf_merges.h"
#include "convert/gguf_token_kind.h"
#include "convert/gguf_words.h"

namespace lmpo {
namespace {

constexpr const char* kSpace = "\u2581";  // what stands for a space in sentencepiece's tokens

// Tokens after which llama.cpp stops, if they are control tokens.
constexpr auto kEndingTokens = std::to_array<std::string_view>(
    {"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>", "<EOT>",
     "<|end_of_text|>", "<end_of_utterance>"});

json byte_level_decoder() {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", true},
          {"trim_offsets", true},
          {"use_regex", true}};
}

json replace(const char* from, const char* to) {
  return {{"type", "Replace"}, {"pattern", {{"String", from}}}, {"content", to}};
}

json sequence(const char* elements, json steps) {
  return {{"type", "Sequence"}, {elements, std::move(steps)}};
}

class TextWriter {
 public:
  explicit TextWriter(const GgufKeys& keys) : keys_(keys) {
    const auto model = keys.at<std::string>("tokenizer.ggml.model");
    if (model != "gpt2" && model != "llama") {
      user_error("{}: key 'tokenizer.ggml.model': '{}' is not supported; gpt2 and llama are",
                 keys.source(), model);
    }
    sentencepiece_ = model == "llama";
    if (!sentencepiece_) {
      find_words();
    }
    read_tokens();
  }

  GgufTexts write() {
    GgufTexts texts;
    texts.kind = sentencepiece_ ? "sentencepiece" : fmt::format("BPE, words as {}", words_->name);
    texts.tokens = std::ranges::count(named_, true);
    texts.tokenizer = tokenizer();
    texts.tokenizer_config = tokenizer_config();
    texts.generation_config = generation_config();
    texts.chat_template = keys_.find<std::string>("tokenizer.chat_template");
    if (texts.chat_template) {
      require_utf8(*texts.chat_template, "tokenizer.chat_template");
    }
    warn_of_other_templates();
    return texts;
  }

 private:
  void find_words() {
    const std::string key = "tokenizer.ggml.pre";
    const auto name = keys_.find<std::string>(key).value_or("default");
    words_ = find_gguf_words(name);
    if (words_ == nullptr) {
      std::string known;
      for (const GgufWords& words : gguf_words()) {
        known += (known.empty() ? "" : ", ") + std::string(words.name);
      }
      user_error("{}: key '{}': '{}' is not known; these are: {}", keys_.source(), key, name,
                 known);
    }
  }

  void require_utf8(std::string_view text, std::string_view where) const {
    if (!is_valid_utf8(text)) {
      user_error("{}: key '{}': not valid UTF-8: '{}'", keys_.source(), where,
                 printable(text.substr(0, 60), LineEnds::escape));
    }
  }

  void read_tokens() {
    const std::string key = "tokenizer.ggml.tokens";
    tokens_ = keys_.at<std::vector<std::string>>(key);
    const auto kinds = keys_.find<std::vector<std::int64_t>>("tokenizer.ggml.token_type");
    kinds_ = kinds.value_or(std::vector<std::int64_t>(tokens_.size(), token_kind::normal));
    require_one_each("tokenizer.ggml.token_type", kinds_.size());
    std::set<std::string_view> seen;
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      const bool named = !tokens_[id].empty() && tokens_[id] != fmt::format("[PAD{}]", id);
      named_.push_back(named);
      require_utf8(tokens_[id], key);
      if (named && !seen.insert(tokens_[id]).second) {
        user_error("{}: key '{}': '{}' stands twice, the second time as token {}", keys_.source(),
                   key, printable(tokens_[id], LineEnds::escape), id);
      }
    }
  }

  void require_one_each(std::string_view key, std::size_t count) const {
    if (count != tokens_.size()) {
      user_error("{}: key '{}': one value a token was expected: {}, not {}", keys_.source(), key,
                 tokens_.size(), count);
    }
  }

  // Nothing for an id that no token of the vocabulary has.
  std::optional<std::size_t> token_id(const char* name) const {
    const auto id = gguf_token_id(keys_, name);
    const bool known =
        id && *id >= 0 && *id < std::ssize(tokens_) && named_[static_cast<std::size_t>(*id)];
    return known ? std::optional(static_cast<std::size_t>(*id)) : std::nullopt;
  }

  bool is_special(std::size_t id) const {
    return kinds_[id] == token_kind::control || kinds_[id] == token_kind::unknown;
  }

  // Phi-3's tokens take the white space after them, but for three; a GGUF file does not say so, and
  // llama.cpp knows it by the model's name.
  bool takes_space_after(std::string_view token) const {
    std::string name = keys_.find<std::string>("general.name").value_or("");
    std::ranges::transform(name, name.begin(), [](unsigned char c) {
      return c < 0x80 ? static_cast<char>(std::tolower(c)) : static_cast<char>(c);
    });
    const bool phi3 =
        name.find("phi-3") != std::string::npos || name.find("phi3") != std::string::npos;
    return phi3 && token != "<unk>" && token != "<s>" && token != "<|endoftext|>";
  }

  json added_tokens() const {
    json added = json::array();
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (named_[id] && (is_special(id) || kinds_[id] == token_kind::user_defined)) {
        added.push_back({{"id", id},
                         {"content", tokens_[id]},
                         {"single_word", false},
                         {"lstrip", false},
                         {"rstrip", takes_space_after(tokens_[id])},
                         {"normalized", false},
                         {"special", is_special(id)}});
      }
    }
    return added;
  }

  json vocabulary() const {
    json ids = json::object();
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (named_[id]) {
        ids[tokens_[id]] = id;
      }
    }
    return ids;
  }

  json merges(const json& vocabulary) const {
    if (!sentencepiece_) {
      return listed_merges(keys_, vocabulary);
    }
    const auto scores = keys_.at<std::vector<double>>("tokenizer.ggml.scores");
    require_one_each("tokenizer.ggml.scores", scores.size());
    std::vector<bool> normal(tokens_.size());
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      normal[id] = named_[id] && kinds_[id] == token_kind::normal;
    }
    return merges_of_scores(tokens_, normal, scores, keys_.source());
  }

  json model() const {
    json ids = vocabulary();
    json rules = merges(ids);
    const auto unknown = sentencepiece_ ? token_id("unknown") : std::nullopt;
    return {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", unknown ? json(tokens_[*unknown]) : json()},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", sentencepiece_},
            {"byte_fallback", sentencepiece_},
            {"ignore_merges", !sentencepiece_ && words_->ignores_merges},
            {"vocab", std::move(ids)},
            {"merges", std::move(rules)}};
  }

  json tokenizer() const {
    json content = {{"version", "1.0"},
                    {"truncation", nullptr},
                    {"padding", nullptr},
                    {"added_tokens", added_tokens()},
                    {"normalizer", nullptr},
                    {"pre_tokenizer", nullptr},
                    {"post_processor", post_processor()},
                    {"model", model()}};
    if (!sentencepiece_) {
      content["pre_tokenizer"] = pre_tokenizer_of(*words_);
      content["decoder"] = byte_level_decoder();
      return content;
    }
    const bool prefix = keys_.find<bool>("tokenizer.ggml.add_space_prefix").value_or(true);
    json steps = json::array({replace(" ", kSpace)});
    json decoders =
        json::array({replace(kSpace, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
    if (prefix) {
      const json prepend = {{"type", "Prepend"}, {"prepend", kSpace}};
      steps.insert(steps.begin(), prepend);
      decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    }
    content["normalizer"] = sequence("normalizers", std::move(steps));
    content["decoder"] = sequence("decoders", std::move(decoders));
    return content;
  }

  // The token that begins or ends every text, if one does.
  std::optional<std::size_t> added(const char* name, bool otherwise) const {
    const std::string key = fmt::format("tokenizer.ggml.add_{}_token", name);
    if (!keys_.find<bool>(key).value_or(otherwise)) {
      return std::nullopt;
    }
    const auto id = token_id(name);
    if (!id) {
      user_error("{}: key '{}' is true, but tokenizer.ggml.{}_token_id names no token",
                 keys_.source(), key, name);
    }
    return id;
  }

  json post_processor() const {
    const auto bos = added("bos", sentencepiece_ || words_->adds_bos);
    const auto eos = added("eos", false);
    if (!bos && !eos) {
      return nullptr;
    }
    json special = json::object();
    json single = json::array();
    json pair = json::array();
    const auto add = [&](const std::optional<std::size_t>& id, json& steps, int type) {
      if (id) {
        const std::string& token = tokens_[*id];
        special[token] = {{"id", token}, {"ids", {*id}}, {"tokens", {token}}};
        steps.push_back({{"SpecialToken", {{"id", token}, {"type_id", type}}}});
      }
    };
    const auto add_text = [&](const char* name, json& steps, int type) {
      add(bos, steps, type);
      steps.push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
      add(eos, steps, type);
    };
    add_text("A", single, 0);
    add_text("A", pair, 0);
    add_text("B", pair, 1);
    return {{"type", "TemplateProcessing"},
            {"single", std::move(single)},
            {"pair", std::move(pair)},
            {"special_tokens", std::move(special)}};
  }

  ordered_json tokenizer_config() const {
    ordered_json config;
    for (const auto& [name, key] :
         {std::pair("bos", "bos_token"), std::pair("eos", "eos_token"),
          std::pair("unknown", "unk_token"), std::pair("padding", "pad_token")}) {
      if (const auto id = token_id(name)) {
        config[key] = tokens_[*id];
      }
    }
    config["clean_up_tokenization_spaces"] = false;
    const auto architecture = keys_.find<std::string>("general.architecture").value_or("");
    if (const auto context =
            keys_.find<std::int64_t>(fmt::format("{}.context_length", architecture))) {
      config["model_max_length"] = *context;
    }
    config["tokenizer_class"] = "PreTrainedTokenizerFast";
    return config;
  }

  ordered_json generation_config() const {
    ordered_json config;
    std::vector<std::size_t> ends;
    const auto add = [&](std::size_t id) {
      if (std::ranges::find(ends, id) == ends.end()) {
        ends.push_back(id);
      }
    };
    for (const char* name : {"eos", "eot", "eom"}) {
      if (const auto id = token_id(name)) {
        add(*id);
      }
    }
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      if (kinds_[id] == token_kind::control &&
          std::ranges::find(kEndingTokens, tokens_[id]) != kEndingTokens.end()) {
        add(id);
      }
    }
    if (const auto bos = token_id("bos")) {
      config["bos_token_id"] = *bos;
    }
    if (!ends.empty()) {
      config["eos_token_id"] = ends.size() == 1 ? ordered_json(ends[0]) : ordered_json(ends);
    }
    if (const auto pad = token_id("padding")) {
      config["pad_token_id"] = *pad;
    }
    return config;
  }

  void warn_of_other_templates() const {
    for (const std::string& name : keys_.names()) {
      if (name.starts_with("tokenizer.chat_template.")) {
        log_warning("{}: the chat template '{}' is left out; only the default one is written",
                    keys_.source(), name);
      }
    }
  }

  const GgufKeys& keys_;
  bool sentencepiece_ = false;
  const GgufWords* words_ = nullptr;  // of byte-level BPE
  std::vector<std::string> tokens_;
  std::vector<std::int64_t> kinds_;
  std::vector<bool> named_;  // false for rows of the embedding without a token
};

}  // namespace

std::optional<std::int64_t> gguf_token_id(const GgufKeys& keys, std::string_view name) {
  const auto id = keys.find<std::int64_t>(fmt::format("tokenizer.ggml.{}_token_id", name));
  if (id || keys.find<std::string>("tokenizer.ggml.model") != "llama") {
    return id;
  }
  constexpr std::array<std::string_view, 3> kFirstTokens = {"unknown", "bos", "eos"};
  const auto* found = std::ranges::find(kFirstTokens, name);
  return found == kFirstTokens.end() ? std::nullopt : std::optional(found - kFirstTokens.begin());
}

GgufTexts gguf_texts(const GgufKeys& keys) {
  return TextWriter(keys).write();
}

}  // namespace lmpo
