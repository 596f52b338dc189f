// A tokenizer put together from a vocabulary's file and what other files say of its special tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "text/ranked_tokens.h"
#include "text/tokenizer_parts.h"

namespace lmpo {

class Assembly {
 public:
  // `source` names the vocabulary's file in messages.
  Assembly(std::string_view source, SpecialTokens tokens)
      : source_(source), tokens_(std::move(tokens)) {}

  // Defaults from the vocabulary's own file, for what the other files do not say: names of special
  // tokens, tokens by id.
  void fill_names(std::string_view bos, std::string_view eos, std::string_view unk);
  void add_special(std::int64_t id, std::string_view content);

  // `decoder` as in a tokenizer.json. May be called once.
  TokenizerParts finish(std::unique_ptr<const SubwordModel> model, PreTokenizer pre_tokenizer,
                        json decoder);
  // Words by the pattern, encoded by the ranked tokens, whose ids start at `first_id`. May be
  // called once.
  TokenizerParts finish_byte_level(const std::string& pattern, const RankedTokens& tokens,
                                   TokenId first_id);

 private:
  json post_processor(const SubwordModel& model) const;
  std::int64_t id_of(const std::string& name, const SubwordModel& model) const;

  std::string source_;
  SpecialTokens tokens_;
};

}  // namespace lmpo
