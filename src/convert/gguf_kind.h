// Which of llama.cpp's tokenizers does what a tokenizer.json says.
#pragma once

#include <string>

#include "text/json_part.h"

namespace lmpo {

struct GgufKind {
  bool sentencepiece = false;     // else byte-level BPE
  std::string pre = "default";    // tokenizer.ggml.pre
  bool add_space_prefix = false;  // sentencepiece: a text begins with a space of its own
};

// `root` is the whole of a tokenizer.json that lmpo can read. UserError that names a part without a
// counterpart.
GgufKind recognize_gguf_kind(const JsonPart& root);

}  // namespace lmpo
