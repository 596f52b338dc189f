// A model folder as a GGUF file for llama.cpp.
#pragma once

#include "io/gguf.h"
#include "model/config.h"

namespace lmpo {

// The keys general.* and those of the architecture (Family::gguf_architecture): sizes, rotary
// settings, windows, scales, file type. UserError for a model that llama.cpp could not open, a
// warning for one of which it would compute something else (gguf_limits.h).
GgufMetadata gguf_architecture(const ModelConfig& config, const std::string& name, GgufType type);

// The tensors under llama.cpp's names. Matrices are stored in `type`; in float16, with a warning,
// if their rows are not multiples of q8_0's blocks. Norms and biases are stored in float32. Rows and
// norms lie as llama.cpp has them (gguf_layout.h). For rotary tables of type llama3, rope_freqs.weight
// [R/2] holds the divisors of the frequencies; for longrope rope_factors_short.weight and
// rope_factors_long.weight do. The checkpoint fits `config` (check_tensors) and must outlive the
// result.
std::vector<GgufTensor> gguf_tensors(const ModelConfig& config, const Checkpoint& checkpoint,
                                     GgufType type);

// Writes keys, the vocabulary of the same folder, and tensors. The file appears whole.
void write_gguf_model(const fs::path& file, const fs::path& folder, const ModelConfig& config,
                      const Checkpoint& checkpoint, GgufType type);

}  // namespace lmpo
