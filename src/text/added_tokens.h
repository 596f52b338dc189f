// The added tokens of tokenizer.json. They are found in the text before all other steps.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/utf8.h"
#include "text/json_part.h"
#include "text/normalizer.h"
#include "text/prefix_set.h"
#include "text/subword_model.h"
#include "text/tokenizer.h"

namespace lmpo {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  // The text to find: the content, normalized if `normalized` is set.
  std::string pattern;
  // Matches only if no word character touches it.
  bool single_word = false;
  // The match includes the white space on its left or right.
  bool lstrip = false;
  bool rstrip = false;
  // Searched in the normalized text instead of the raw one.
  bool normalized = false;
  bool special = false;
};

// Finds the longest of several tokens at a position.
class TextSet {
 public:
  TextSet() = default;
  // Keeps pointers to the tokens, whose patterns are different and not empty.
  explicit TextSet(std::vector<const AddedToken*> tokens);
  // The longest token that begins at `at`, or null.
  const AddedToken* longest(std::string_view text, std::size_t at) const {
    return set_.has_first(text[at]) ? search(text.substr(at)) : nullptr;
  }

 private:
  const AddedToken* search(std::string_view rest) const;

  std::vector<const AddedToken*> tokens_;
  PrefixSet set_;
};

// Immutable; thread-safe.
class AddedTokens {
 public:
  // counted: `tokenizers` ignores the ids of a tokenizer.json and counts them itself, so a file
  // with other ids is refused. given: other files give the ids of tokens outside the vocabulary.
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
  // Splits the text into the added tokens of one kind, raw or normalized, and the text between
  // them. Without `special`, special tokens stay text.
  std::vector<Part> split(std::string_view text, bool normalized, bool special) const;

  // The position of the first special token of either kind in a raw text, from `at` on; npos if
  // there is none.
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
  // The special tokens only, found by their contents.
  std::vector<AddedToken> special_tokens_;
  TextSet special_contents_;
};

}  // namespace lmpo
