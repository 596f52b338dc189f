// What happens to a text before it is cut into words: the "normalizer" of tokenizer.json.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "text/json_part.h"

namespace lmpo {

struct NormalizedText {
  std::string text;
  // So many bytes at its beginning come from the first character of the whole input (0 where the
  // text does not begin there); Metaspace asks for it.
  std::size_t head = 0;
};

// Thread-safe.
using Normalizer = std::function<void(NormalizedText&)>;

// Does nothing for an absent part. Supported: NFC, NFD, NFKC, NFKD, Prepend, Replace, Sequence.
Normalizer read_normalizer(const JsonPart& part);

}  // namespace lmpo
