// The keys of a GGUF file as a config.json of transformers.
#pragma once

#include "io/gguf_file.h"
#include "model/config.h"

namespace lmpo {

// config.json's content: sizes, rotary settings, ids of special tokens, in transformers' words, for
// the family that the file's architecture names. What a key leaves to llama.cpp gets llama.cpp's
// value. UserError that names the key: for an architecture without a family, and for what a
// config.json of that family cannot say. A key that is not known is a warning.
ordered_json gguf_config(const GgufFile& file);

}  // namespace lmpo
