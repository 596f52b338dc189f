// The models of tokenizer.json that look words up: "WordLevel" takes a word whole, "WordPiece" cuts
// it from the left into the longest tokens there are (Devlin et al., "BERT", NAACL 2019).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "text/json_part.h"
#include "text/vocabulary.h"

namespace lmpo {

// `part` is the "model" of a tokenizer.json. A word without tokens becomes the unknown token;
// UserError where the vocabulary lacks that.
class WordLevel : public VocabularyModel {
 public:
  explicit WordLevel(const JsonPart& part);
  void encode(std::string_view word, Scratch& scratch, std::vector<TokenId>& ids) const override;

 private:
  std::string unknown_;
};

class WordPiece : public VocabularyModel {
 public:
  explicit WordPiece(const JsonPart& part);
  // O(n^2) in the number of characters, of which a word may have "max_input_chars_per_word".
  void encode(std::string_view word, Scratch& scratch, std::vector<TokenId>& ids) const override;

 private:
  // Appends the word's tokens, or does nothing and returns false.
  bool cut(std::string_view word, std::vector<TokenId>& ids) const;

  std::string unknown_;
  // Stands before every token of a word but its first.
  std::string prefix_;
  std::size_t most_characters_;
};

}  // namespace lmpo
