// Checkpoints of one architecture as a weighted sum of their tensors.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "model/config.h"

namespace lmpo {

struct WeightedModel {
  const Checkpoint* checkpoint;
  double weight;
};

// UserError that names the first key in which two models differ, of those that say what a model
// computes. Ids of special tokens and the stored type may differ.
void check_same_architecture(const ModelConfig& first, const fs::path& first_folder,
                             const ModelConfig& other, const fs::path& other_folder);

// The tensors of the models' weighted sum, in transformers' order, read a piece at a time: each
// element is summed in double, rounded to float32 and then to `dtype`; without one to the type that
// the first model stores the tensor in. A model of weight 0 is not read. The checkpoints have the
// tensors of `config` (check_tensors) and must outlive the result.
std::vector<TensorSource> weighted_sum(const ModelConfig& config,
                                       const std::vector<WeightedModel>& models,
                                       std::optional<Dtype> dtype);

// Writes a model folder of these tensors, which appears whole: config.json with their type, and the
// tokenizer, template and generation files of `texts_from`.
void write_weighted_sum(const fs::path& folder, const ModelConfig& config,
                        const std::vector<WeightedModel>& models, std::optional<Dtype> dtype,
                        const fs::path& texts_from, std::int64_t max_shard_bytes);

// Merges model folders, each with its weight, into the new folder `output`, whose tokenizer and
// template are the first's; another tokenizer.json is a warning. UserError for folders that are not
// of one architecture.
void merge_models(const std::vector<std::pair<fs::path, double>>& models,
                  std::optional<Dtype> dtype, const fs::path& output, std::int64_t max_shard_bytes);

}  // namespace lmpo
