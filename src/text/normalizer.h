// What happens to a text before it is cut into words: the "normalizer" of tokenizer.json.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "text/json_part.h"

namespace lmpo {

// The most bytes that a tokenizer's steps may make of `size` bytes, so that no file can fill the
// memory. Real ones grow a text less than twenty times (a ligature that is spelled out).
std::size_t longest_result(std::size_t size);
// UserError, which begins with `where`, if the size is beyond that.
void check_growth(std::size_t size, std::size_t longest, const std::string& where);

struct NormalizedText {
  NormalizedText(std::string of_text, std::size_t of_head)
      : text(std::move(of_text)), head(of_head), longest(longest_result(text.size())) {}

  std::string text;
  // The number of leading bytes that come from the first character of the whole input; 0 if the
  // text does not begin there. Metaspace needs it.
  std::size_t head;
  // The greatest size that the steps may reach.
  std::size_t longest;
};

// Thread-safe.
using Normalizer = std::function<void(NormalizedText&)>;

// Does nothing for an absent part. Supported: ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt,
// Precompiled, Prepend, Replace, Sequence, Strip, StripAccents.
Normalizer read_normalizer(const JsonPart& part);

}  // namespace lmpo
