// What happens to a text before it is cut into words: the "normalizer" of tokenizer.json.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "text/json_part.h"

namespace lmpo {

// The most bytes that steps of a tokenizer may make of a text of `size` bytes: real ones stay below
// twenty times (a ligature that is spelled out), and a file must not be able to fill the memory.
std::size_t longest_result(std::size_t size);
// UserError, which begins with `where`, for a text that grew beyond it.
void check_growth(std::size_t size, std::size_t longest, const std::string& where);

struct NormalizedText {
  NormalizedText(std::string of_text, std::size_t of_head)
      : text(std::move(of_text)), head(of_head), longest(longest_result(text.size())) {}

  std::string text;
  // So many bytes at its beginning come from the first character of the whole input (0 where the
  // text does not begin there); Metaspace asks for it.
  std::size_t head;
  // What the steps may make of it.
  std::size_t longest;
};

// Thread-safe.
using Normalizer = std::function<void(NormalizedText&)>;

// Does nothing for an absent part. Supported: NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence.
Normalizer read_normalizer(const JsonPart& part);

}  // namespace lmpo
