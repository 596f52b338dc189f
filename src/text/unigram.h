// The unigram language model (Kudo, "Subword regularization", ACL 2018): of all ways to cut a word
// into tokens, the one whose scores have the greatest sum. As `tokenizers` computes it from
// tokenizer.json's model "Unigram", in double.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/json_part.h"
#include "text/prefix_set.h"
#include "text/vocabulary.h"

namespace lmpo {

class Unigram : public VocabularyModel {
 public:
  // `part` is the "model" of a tokenizer.json.
  explicit Unigram(const JsonPart& part);
  // prefixes_ refers to the vocabulary's texts.
  Unigram(const Unigram&) = delete;
  Unigram& operator=(const Unigram&) = delete;

  // O(n m) in the word's length and that of the longest token. A run of unknown characters becomes
  // one token: itself where it has an id, else its bytes where the file wants that and all have
  // tokens, else the unknown token. UserError where a file without one meets such a text.
  void encode(std::string_view word, Scratch& scratch, std::vector<TokenId>& ids) const override;

 private:
  struct Pieces;
  static Pieces read_pieces(const JsonPart& part);
  Unigram(const JsonPart& part, Pieces pieces);

  void find_best_path(std::string_view word, Scratch& scratch) const;
  void add_unknown(std::string_view text, std::vector<TokenId>& ids) const;
  TokenId unknown_for(std::string_view text) const;

  // By id.
  std::vector<double> scores_;
  double unknown_score_ = 0;
  PrefixSet prefixes_;
  ByteTokens byte_tokens_;
  std::optional<TokenId> unknown_;
  bool byte_fallback_ = false;
};

}  // namespace lmpo
