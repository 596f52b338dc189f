// llama.cpp's ways to cut a text into words before byte-level BPE (tokenizer.ggml.pre), as a
// tokenizer.json says them. Source: llama.cpp's llama-vocab.cpp, and the tokenizer.json files that it
// takes them from.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/json.h"

namespace lmpo {

enum class WordForm : std::uint8_t {
  byte_level,  // GPT-2's pattern, which ByteLevel has built in
  digits,      // the same, after every digit was cut off
  patterns     // by regular expressions, one after the other
};

struct GgufWords {
  std::string_view name;
  WordForm form;
  std::span<const std::string_view> patterns;
  bool ignores_merges;  // whether a word that is a token is taken as it is
  bool adds_bos;        // where the file does not say
};

// Of names that mean the same, the first is the one to write.
std::span<const GgufWords> gguf_words();
// Null for a name that is not known.
const GgufWords* find_gguf_words(std::string_view name);

// The "pre_tokenizer" of a tokenizer.json.
json pre_tokenizer_of(const GgufWords& words);

}  // namespace lmpo
