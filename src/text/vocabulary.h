// The tokens of a model and their ids. Immutable; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/integer_table.h"
#include "text/json_part.h"
#include "text/subword_model.h"

namespace lmpo {

class Vocabulary {
 public:
  // An object from tokens to ids, each used once. UserError names the token.
  explicit Vocabulary(const JsonPart& part);
  // Tokens by id. Those below `first_id` are no tokens.
  explicit Vocabulary(std::vector<std::string> tokens, TokenId first_id = 0);

  std::optional<TokenId> find(std::string_view token) const {
    for (std::uint64_t key = hash_of(token);; ++key) {
      const std::uint32_t* id = ids_.find(key);
      if (id == nullptr) {
        return std::nullopt;
      }
      if (tokens_[*id] == token) {
        return static_cast<TokenId>(*id);
      }
    }
  }
  // "" for an id that has no token.
  std::string_view token(TokenId id) const {
    return id >= 0 && id < id_limit() ? std::string_view(tokens_[static_cast<std::size_t>(id)])
                                      : "";
  }
  // One more than the largest id, and the number of tokens.
  std::int64_t id_limit() const { return static_cast<std::int64_t>(tokens_.size()); }
  std::int64_t size() const { return size_; }

 private:
  static std::uint64_t hash_of(std::string_view token) {
    // Not the largest number, which the table keeps for itself.
    return std::hash<std::string_view>()(token) >> 1;
  }
  void index(const std::vector<bool>& taken);

  // By id; "" for an id that has no token.
  std::vector<std::string> tokens_;
  std::int64_t size_ = 0;
  // From a token's hash to its id. If another token has that place, one place further.
  IntegerTable ids_;
};

// A model whose tokens are a Vocabulary.
class VocabularyModel : public SubwordModel {
 public:
  std::optional<TokenId> find(std::string_view token) const final {
    return vocabulary_.find(token);
  }
  std::string_view token(TokenId id) const final { return vocabulary_.token(id); }
  std::int64_t id_limit() const final { return vocabulary_.id_limit(); }
  std::int64_t size() const final { return vocabulary_.size(); }

 protected:
  // `where` is the place of the model, for messages.
  VocabularyModel(Vocabulary vocabulary, std::string where)
      : vocabulary_(std::move(vocabulary)), where_(std::move(where)) {}

  // The id of the token `unknown`, the value of "unk_token", for a text that has no token of its
  // own. UserError where the vocabulary lacks it.
  TokenId unknown_id(std::string_view unknown, std::string_view text) const;

  Vocabulary vocabulary_;
  std::string where_;
};

// The tokens <0x00> to <0xFF>: the bytes of characters that have no token ("byte_fallback").
class ByteTokens {
 public:
  explicit ByteTokens(const Vocabulary& vocabulary);

  TokenId of(char byte) const { return ids_[static_cast<unsigned char>(byte)]; }
  // Whether every byte of the text has its token.
  bool cover(std::string_view text) const;

 private:
  // -1 where a byte has none.
  std::array<TokenId, 256> ids_;
};

}  // namespace lmpo
