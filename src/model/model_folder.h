// A model folder as transformers reads it: config.json, the weights, the tokenizer's files.
#pragma once

#include "base/file.h"
#include "base/hash.h"
#include "model/weights.h"

namespace lmpo {

// Writes config.json and the weights in their storage type (master weights stay behind), and copies
// the tokenizer, template and generation files of `texts_from`. The folder must exist.
void write_model_folder(const fs::path& folder, const Weights& weights, Ops& ops,
                        const fs::path& texts_from, std::int64_t max_shard_bytes);

// A tensor of the device as a source for writing.
TensorSource tensor_from_device(std::string name, Tensor tensor, Ops& ops);

// Adds all that decides what a model computes: config.json and the weights.
void add_model_files(Hash& hash, const fs::path& folder);

// UserError naming both when the tokenizer knows ids that the embedding has no row for.
void check_tokenizer_fits(const ModelConfig& config, std::int64_t tokenizer_id_limit,
                          const fs::path& folder);

}  // namespace lmpo
