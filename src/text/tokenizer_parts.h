// The steps from text to ids and back, and how each kind of tokenizer file gives them. Immutable;
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "text/added_tokens.h"
#include "text/decoder.h"
#include "text/json_part.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"
#include "text/special_tokens.h"
#include "text/subword_model.h"

namespace lmpo {

struct TokenizerParts {
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<const SubwordModel> model;
  AddedTokens added;
  std::int64_t id_limit;
  PostProcessor post_processor;
  Decoder decoder;
  SpecialNames names;
};

// `root` has the other parts under the keys of a tokenizer.json. Without names.
TokenizerParts parts_around(std::unique_ptr<const SubwordModel> model, PreTokenizer pre_tokenizer,
                            const JsonPart& root, AddedTokens::Ids ids);

// Without names, which stand in other files. `root` is the whole file.
TokenizerParts read_tokenizer_json(const JsonPart& root);

// The content of a tokenizer.model: of sentencepiece, or of Meta's Llama 3 (lines of base64 and
// rank). What it holds says which. `tokens` is what other files say; the model's own names,
// control tokens and Llama 3's special tokens fill what they leave open.
TokenizerParts read_tokenizer_model(std::string_view content, std::string_view source,
                                    SpecialTokens tokens);

// Mistral's tekken.json.
TokenizerParts read_tekken(const JsonPart& root, SpecialTokens tokens);

}  // namespace lmpo
