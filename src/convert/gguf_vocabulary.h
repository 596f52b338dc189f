// A tokenizer.json in the words of llama.cpp.
#pragma once

#include "io/gguf.h"
#include "model/config.h"

namespace lmpo {

// The tokenizer.* keys of a GGUF file for the tokenizer and chat template of a model folder:
//
//   byte-level BPE             tokenizer.ggml.model gpt2, with the merges, and in
//   tokenizer.ggml.pre
//                              the name that llama.cpp gives to the way words are cut
//   BPE as of sentencepiece    tokenizer.ggml.model llama, with scores: a token's is minus the rank
//                              of the first merge that makes it
//
// Rows of the embedding without a token are named [PADn]. UserError that names the part of
// tokenizer.json for which llama.cpp has no counterpart; a warning where scores cannot say what the
// merges do.
GgufMetadata gguf_vocabulary(const fs::path& folder, const ModelConfig& config);

}  // namespace lmpo
