// The added tokens of tokenizer.json: found in the text as they stand, before anything else.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/utf8.h"
#include "text/json_part.h"
#include "text/normalizer.h"
#include "text/subword_model.h"
#include "text/tokenizer.h"

namespace lmpo {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  // What is looked for: the content, normalized where `normalized` says so.
  std::string pattern;
  // Found only where no word character touches it.
  bool single_word = false;
  // Takes the white space on its left or right with it.
  bool lstrip = false;
  bool rstrip = false;
  // Looked for in the normalized text instead of the raw one.
  bool normalized = false;
  bool special = false;
};

// Finds the longest of several texts at a place.
class TextSet {
 public:
  TextSet() = default;
  // Refers to the tokens' patterns, none empty, all different.
  explicit TextSet(std::vector<const AddedToken*> tokens);
  // The longest token that begins at `at`, or null.
  const AddedToken* longest(std::string_view text, std::size_t at) const;

 private:
  // Sorted by pattern.
  std::vector<const AddedToken*> tokens_;
  std::array<bool, 256> begins_{};
};

// Immutable; thread-safe.
class AddedTokens {
 public:
  // A tokenizer.json's ids are those that the reference counts itself, whatever the file says: one
  // that says another number would be read wrongly and is refused. Other files give the ids of
  // tokens that are not in the vocabulary.
  enum class Ids { counted, given };
  // `part` is the file's "added_tokens".
  AddedTokens(const JsonPart& part, const SubwordModel& model, const Normalizer& normalizer,
              Ids ids);
  AddedTokens(AddedTokens&&) = default;
  AddedTokens(const AddedTokens&) = delete;

  struct Part {
    Span span;
    // Null for text between added tokens.
    const AddedToken* token;
  };
  // The whole text in parts: the added tokens of one kind and what lies between them. Special ones
  // can be left as text.
  std::vector<Part> split(std::string_view text, bool normalized, bool special) const;

  // Where the first special token from `at` on begins in a raw text, whatever kind it is of; npos
  // for none.
  std::size_t find_special(std::string_view text, std::size_t at) const;

  const AddedToken* find(std::string_view content) const;
  const AddedToken* find(TokenId id) const;
  bool is_special(std::string_view content) const { return special_.contains(content); }
  std::int64_t id_limit() const;

 private:
  std::vector<AddedToken> tokens_;
  std::unordered_map<std::string_view, const AddedToken*> by_content_;
  std::unordered_map<TokenId, const AddedToken*> by_id_;
  std::unordered_set<std::string_view> special_;
  TextSet raw_;
  TextSet normalized_;
  // Special tokens alone, looked for as their contents stand.
  std::vector<AddedToken> special_tokens_;
  TextSet special_contents_;
};

}  // namespace lmpo
