// A model folder with random weights, as transformers initialises them.
#pragma once

#include <cstdint>

#include "base/file.h"
#include "model/config.h"

namespace lmpo {

// Writes config.json, the weights in `storage`, generation_config.json and the tokenizer's files of
// `tokenizer` into a folder that exists. Returns the number of parameters. The weights are a function
// of configuration, storage and seed. MachineError where they do not fit into memory.
std::int64_t write_random_model(const fs::path& folder, const ModelConfig& config, Dtype storage,
                                std::uint64_t seed, const fs::path& tokenizer,
                                std::int64_t max_shard_bytes);

}  // namespace lmpo
