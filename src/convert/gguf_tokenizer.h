// The tokenizer.* keys of a GGUF file as the text files of a Hugging Face folder.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "io/gguf_keys.h"

namespace lmpo {

// A token's id by its name in the keys (bos, eos, unknown, padding, eot, ...), or llama.cpp's default
// for the kind of tokenizer. The id may lie outside the vocabulary.
std::optional<std::int64_t> gguf_token_id(const GgufKeys& keys, std::string_view name);

struct GgufTexts {
  std::string kind;                               // "gpt2, words as smollm", for a person
  std::int64_t tokens = 0;                        // those that the vocabulary names
  json tokenizer = {};                            // tokenizer.json
  ordered_json tokenizer_config = {};             // tokenizer_config.json
  ordered_json generation_config = {};            // generation_config.json
  std::optional<std::string> chat_template = {};  // chat_template.jinja
};

// Texts get the ids that llama.cpp gives them:
//
//   tokenizer.ggml.model gpt2    byte-level BPE; words are cut as tokenizer.ggml.pre says
//   tokenizer.ggml.model llama   sentencepiece's BPE; every cut of a token into two is a merge, in the
//                                order of the tokens' scores, as transformers derives them
//
// Rows without a token ([PADn]) get none. generation_config.json stops at every token that ends an
// answer for llama.cpp. UserError that names what a tokenizer.json cannot say.
GgufTexts gguf_texts(const GgufKeys& keys);

}  // namespace lmpo
