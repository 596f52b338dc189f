#include "convert/gguf_vocabulary.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/log.h"
#include "convert/gguf_kind.h"
#include "convert/gguf_scores.h"
#include "convert/gguf_token_kind.h"
#include "model/model_folder.h"
#include "text/bpe.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace lmpo {
namespace {

struct TokenList {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> kinds;
};

bool is_byte_token(std::string_view token) {  // <0x0A>
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with('>') &&
         is_digit(token[3]) && is_digit(token[4]);
}

// As tokenizer_config.json says, else as the model itself does.
std::string unknown_token(const JsonPart& root, const Tokenizer& tokenizer) {
  return tokenizer.unk_token().empty() ? root.child("model").optional<std::string>("unk_token", "")
                                       : tokenizer.unk_token();
}

TokenList list_tokens(const JsonPart& root, const Tokenizer& tokenizer, std::int64_t vocab_size,
                      bool sentencepiece) {
  TokenList list;
  for (std::int64_t id = 0; id < vocab_size; ++id) {
    const std::string token(tokenizer.token(static_cast<TokenId>(id)));
    list.tokens.push_back(token.empty() ? fmt::format("[PAD{}]", id) : token);
    list.kinds.push_back(token.empty()                           ? token_kind::unused
                         : sentencepiece && is_byte_token(token) ? token_kind::byte
                                                                 : token_kind::normal);
  }
  if (root.child("added_tokens").absent()) {
    return list;
  }
  for (const JsonPart& added : root.child("added_tokens").elements()) {
    const auto id = static_cast<std::size_t>(added.required<std::int64_t>("id"));
    const bool special = added.optional<bool>("special", false);
    const bool is_unknown = sentencepiece && list.tokens[id] == unknown_token(root, tokenizer);
    list.kinds[id] = is_unknown ? token_kind::unknown
                     : special  ? token_kind::control
                                : token_kind::user_defined;
  }
  return list;
}

std::vector<MergeRule> read_rules(const JsonPart& root) {
  std::vector<MergeRule> rules;
  for (const JsonPart& rule : root.child("model").child("merges").elements()) {
    rules.push_back(*read_merge_rule(rule.value()));
    if ((rules.back().first + rules.back().second).find(' ') != std::string::npos) {
      rule.refuse("a token with a space cannot be part of a merge in a GGUF file");
    }
  }
  return rules;
}

std::vector<float> read_scores(const JsonPart& root, const TokenList& list) {
  std::vector<bool> is_normal;
  std::ranges::transform(list.kinds, std::back_inserter(is_normal),
                         [](std::int32_t kind) { return kind == token_kind::normal; });
  MergeScores result = merge_scores(list.tokens, is_normal, read_rules(root));
  if (!result.unlike.empty()) {
    log_warning(
        "{}: the merges of {} tokens ('{}' is the first) are not those of a sentencepiece model; "
        "llama.cpp, which reads scores instead, cuts some words in another way",
        root.where(), result.unlike.size(), result.unlike.front());
  }
  return std::move(result.scores);
}

// What begins and ends a text, as the tokenizer does it.
void add_special_ids(GgufMetadata& keys, const JsonPart& root, const Tokenizer& tokenizer,
                     const ModelConfig& config) {
  const auto add = [&](const char* name, const std::string& token,
                       std::optional<std::int64_t> otherwise) {
    const auto found = token.empty() ? std::nullopt : tokenizer.find(token);
    const std::optional<std::int64_t> id = found ? std::optional<std::int64_t>(*found) : otherwise;
    if (id) {
      keys.emplace_back(fmt::format("tokenizer.ggml.{}_token_id", name),
                        static_cast<std::uint32_t>(*id));
    }
    return id;
  };
  const auto bos = add("bos", tokenizer.bos_token(), config.bos_id);
  const auto eos = add("eos", tokenizer.eos_token(),
                       config.eos_ids.empty() ? std::nullopt : std::optional(config.eos_ids[0]));
  add("unknown", unknown_token(root, tokenizer), std::nullopt);
  add("padding", tokenizer.pad_token(), config.pad_id);
  const std::vector<TokenId> ids = tokenizer.encode("a", true);
  keys.emplace_back("tokenizer.ggml.add_bos_token", !ids.empty() && ids.front() == bos);
  keys.emplace_back("tokenizer.ggml.add_eos_token", !ids.empty() && ids.back() == eos);
}

}  // namespace

GgufMetadata gguf_vocabulary(const fs::path& folder, const ModelConfig& config) {
  const Tokenizer tokenizer = Tokenizer::load(folder);
  check_tokenizer_fits(config, tokenizer.id_limit(), folder);
  const fs::path file = folder / "tokenizer.json";
  const json content = read_json(file);
  const JsonPart root(content, file.string());
  const GgufKind kind = recognize_gguf_kind(root);
  const TokenList list = list_tokens(root, tokenizer, config.vocab_size, kind.sentencepiece);

  GgufMetadata keys = {{"tokenizer.ggml.model", std::string(kind.sentencepiece ? "llama" : "gpt2")},
                       {"tokenizer.ggml.pre", kind.pre},
                       {"tokenizer.ggml.tokens", list.tokens}};
  if (kind.sentencepiece) {
    keys.emplace_back("tokenizer.ggml.scores", read_scores(root, list));
  }
  keys.emplace_back("tokenizer.ggml.token_type", list.kinds);
  if (kind.sentencepiece) {
    keys.emplace_back("tokenizer.ggml.add_space_prefix", kind.add_space_prefix);
  } else {
    std::vector<std::string> merges;
    for (const auto& [left, right] : read_rules(root)) {
      merges.push_back(fmt::format("{} {}", left, right));
    }
    keys.emplace_back("tokenizer.ggml.merges", std::move(merges));
  }
  add_special_ids(keys, root, tokenizer, config);
  if (const auto chat = ChatTemplate::load(folder)) {
    keys.emplace_back("tokenizer.chat_template", chat->text());
  }
  return keys;
}

}  // namespace lmpo
