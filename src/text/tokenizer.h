// Text to token ids and back, as Hugging Face `tokenizers` does from a tokenizer.json,
// sentencepiece and tiktoken from a tokenizer.model, mistral-common from a tekken.json. Immutable
// after loading; all calls are thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace lmpo {

using TokenId = std::int32_t;

// How special tokens in a text are encoded.
enum class SpecialText {
  tokens,  // they are what they say, as the reference does: a chat template writes its own there
  text,    // words like others
  guarded  // words like others where guard_special_tokens broke them, else tokens
};

class Tokenizer {
 public:
  // Reads DIR/tokenizer.json, else DIR/tokenizer.model, else DIR/tekken.json and, where present,
  // DIR/tokenizer_config.json and DIR/special_tokens_map.json for the names of the special tokens;
  // beside the latter two also for added tokens and whether BOS and EOS are added. Throws UserError
  // naming file, key and what is not supported.
  static Tokenizer load(const fs::path& folder);
  // The same from the text of a tokenizer.json alone; `source` names it in errors.
  static Tokenizer from_json(std::string_view tokenizer_json, std::string_view source);
  // The same from the content of a tokenizer.model alone, of either kind.
  static Tokenizer from_model(std::string_view tokenizer_model, std::string_view source);

  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  // `add_special_tokens` runs the post-processor (BOS and the like). Added tokens that are not
  // special are always recognised. Invalid UTF-8 is replaced by U+FFFD.
  std::vector<TokenId> encode(std::string_view text, bool add_special_tokens,
                              SpecialText special = SpecialText::tokens) const;
  // Guards a text that a template will put between special tokens of its own: U+10FFFE, which is
  // not a character, is inserted after the first letter of each special token in it. encode()
  // removes the mark and encodes those as plain text. A special token of one letter is not guarded.
  std::string guard_special_tokens(std::string_view text) const;
  bool has_special_tokens(std::string_view text) const;
  std::string decode(std::span<const TokenId> ids, bool skip_special_tokens) const;

  // One more than the largest id.
  std::int64_t id_limit() const;
  std::optional<TokenId> find(std::string_view token) const;
  // The token as it stands in the vocabulary; "" for an id that has none.
  std::string_view token(TokenId id) const;

  // From tokenizer_config.json (or special_tokens_map.json, or a tokenizer.model's own), as text;
  // "" where there is none.
  const std::string& bos_token() const;
  const std::string& eos_token() const;
  const std::string& unk_token() const;
  const std::string& pad_token() const;
  std::optional<TokenId> bos_id() const;
  std::optional<TokenId> eos_id() const;

 private:
  struct Impl;
  explicit Tokenizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
