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

// UserError that names the first key in which the models differ, of the keys that decide what a
// model computes. Ids of special tokens and the stored type may differ.
void check_same_architecture(const ModelConfig& first, const fs::path& first_folder,
                             const ModelConfig& other, const fs::path& other_folder);

// The tensors of the models' weighted sum, in the order of model_tensors(config), read a piece at a
// time. Each element is summed in double and rounded to float32, then to `dtype` or, without one, to
// the type in which the first model stores the tensor. A model of weight 0 is not read. The
// checkpoints fit `config` (check_tensors) and must outlive the result.
std::vector<TensorSource> weighted_sum(const ModelConfig& config,
                                       const std::vector<WeightedModel>& models,
                                       std::optional<Dtype> dtype);

// Writes the sum as a model folder, which appears whole: config.json with the tensors' type, and the
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
