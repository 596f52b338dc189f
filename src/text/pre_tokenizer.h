// How a text is cut into the words that are encoded one by one: the "pre_tokenizer" of
// tokenizer.json.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "text/json_part.h"

namespace lmpo {

// Words in order. The text between the spans is dropped.
struct Words {
  std::string text;
  std::vector<Span> spans;
  // As in NormalizedText: so many bytes of `text` come from the first character of the input.
  std::size_t head = 0;
};

// Thread-safe.
using PreTokenizer = std::function<void(Words&)>;

// Does nothing for an absent part. Supported: BertPreTokenizer, ByteLevel, CharDelimiterSplit,
// Digits, FixedLength, Metaspace, Punctuation, Sequence, Split, Whitespace, WhitespaceSplit.
PreTokenizer read_pre_tokenizer(const JsonPart& part);

// The value of a key that must be one character.
std::string required_character(const JsonPart& part, const char* key);
// Metaspace's mark for a space, of pre-tokenizers and decoders: one character.
std::string read_metaspace_replacement(const JsonPart& part);
enum class PrependScheme { always, first, never };
PrependScheme read_prepend_scheme(const JsonPart& part);

}  // namespace lmpo
