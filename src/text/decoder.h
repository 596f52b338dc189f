// How tokens become text again: the "decoder" of tokenizer.json.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "text/json_part.h"

namespace lmpo {

// Changes the list of tokens' texts; joined, they are the result. Thread-safe.
using Decoder = std::function<void(std::vector<std::string>&)>;

// An absent part puts spaces between tokens. Supported: BPEDecoder, ByteFallback, ByteLevel, CTC,
// Fuse, Metaspace, Replace, Sequence, Strip, WordPiece.
Decoder read_decoder(const JsonPart& part);

}  // namespace lmpo
