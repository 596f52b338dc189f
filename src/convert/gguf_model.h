// A model folder as a file that llama.cpp runs.
#pragma once

#include "io/gguf.h"
#include "model/config.h"

namespace lmpo {

// The general.* and llama.* keys: architecture, sizes, rotary settings, file type. Mistral is
// "llama" too, as in llama.cpp, which knows no sliding window for it: a warning where the context
// is longer than the window.
GgufMetadata gguf_architecture(const ModelConfig& config, const std::string& name, GgufType type);

// The tensors under llama.cpp's names. Matrices are stored in `type` (in float16 where a row is not
// a multiple of q8_0's blocks, with a warning), vectors in float32. Rows of query and key
// projections are reordered: transformers rotates element j of a head with j + E/2, llama.cpp
// element 2j with 2j + 1. With rope scaling of type llama3, rope_freqs.weight [E/2] is what each
// frequency is divided by. The checkpoint has the tensors of `config` (check_tensors) and must
// outlive the result.
std::vector<GgufTensor> gguf_tensors(const ModelConfig& config, const Checkpoint& checkpoint,
                                     GgufType type);

// All of it, with the vocabulary of the same folder, into a file that appears whole.
void write_gguf_model(const fs::path& file, const fs::path& folder, const ModelConfig& config,
                      const Checkpoint& checkpoint, GgufType type);

}  // namespace lmpo
