// A tokenizer.json as GGUF keys.
#pragma once

#include "io/gguf.h"
#include "model/config.h"

namespace lmpo {

// The tokenizer.* keys of a GGUF file for the tokenizer and chat template of a model folder:
//
//   byte-level BPE        tokenizer.ggml.model is gpt2, with the merges; tokenizer.ggml.pre is
//                         llama.cpp's name for the way in which words are cut
//   sentencepiece's BPE   tokenizer.ggml.model is llama, with scores: minus the rank of the first
//                         merge that makes the token
//
// Rows of the embedding without a token are named [PADn]. UserError that names the part of
// tokenizer.json that llama.cpp cannot express; a warning where scores cannot express the merges.
GgufMetadata gguf_vocabulary(const fs::path& folder, const ModelConfig& config);

}  // namespace lmpo
