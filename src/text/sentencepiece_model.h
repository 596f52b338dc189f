// The byte-pair encodings of sentencepiece (Kudo and Richardson, EMNLP 2018), as Llama 2 and
// Mistral use them, by sentencepiece's own library.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "text/subword_model.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace lmpo {

class SentencePieceModel : public SubwordModel {
 public:
  // The content of a tokenizer.model. Throws UserError, which begins with `source`, for a damaged
  // file and for settings that no model of these families has (rules of normalization, unigrams).
  SentencePieceModel(std::string_view content, std::string_view source);
  ~SentencePieceModel() override;

  // A word is all the text between two special tokens, spaces included. The leading space that a
  // file may ask for is not added here: see `adds_space`.
  void encode(std::string_view word, Scratch& scratch, std::vector<TokenId>& ids) const override;

  std::optional<TokenId> find(std::string_view token) const override;
  std::string_view token(TokenId id) const override;
  std::int64_t id_limit() const override { return size(); }
  std::int64_t size() const override;

  // Whether texts get a leading space.
  bool adds_space() const { return adds_space_; }
  // Tokens that stand for no text: control tokens, and the one for unknown characters.
  bool is_special(TokenId id) const;
  // "" where there is none.
  std::string_view bos_token() const;
  std::string_view eos_token() const;
  std::string_view unk_token() const;

 private:
  std::string where_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
  bool adds_space_ = true;
};

}  // namespace lmpo
