// Rewards of samples under a reward model.
#pragma once

#include <span>
#include <string>

#include "data/samples.h"
#include "train/batch_runner.h"

namespace lmpo {

struct RewardOptions {
  fs::path model;              // folder of a sequence-classification checkpoint with one label
  std::string dtype = "auto";  // storage of the weights; auto: as in the checkpoint
  std::string device = "auto";
  std::string compute = "auto";
  ordered_json template_inputs = nullptr;  // for all samples, see text/template_inputs.h
  PackLimits limits;                       // micro_batch counts prompts
};

// The reward of every response, in the order of the samples. A conversation is rendered by the
// reward model's own chat template, with the samples' tools and switches on top of the options', and the prompt is computed once for all its responses. Throws
// UserError for a folder that holds no reward model, a template that refuses a conversation, and
// rewards that are not finite.
std::vector<Scores> rewards_of(std::span<const Samples> samples, const RewardOptions& options);

}  // namespace lmpo
