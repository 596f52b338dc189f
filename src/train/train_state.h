// Where a run stands: what a checkpoint keeps beside the model, so that a resumed run ends in the
// same bytes as an unbroken one.
//
//   checkpoint-N/  the model folder as transformers reads it, and
//     optimizer.safetensors  NAME.exp_avg, NAME.exp_avg_sq, and NAME.master: the bits that weights
//                            of 16 bits lack (see Weights)
//     trainer_state.json     as transformers writes it
//     lmpo_state.json        TrainState, and the hashes of all other files
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/sampler.h"
#include "model/weights.h"
#include "objective/objective.h"
#include "train/best_model.h"
#include "tree/tree.h"

namespace lmpo {

struct TrainState {
  std::int64_t step = 0;
  std::int64_t tokens = 0;  // of all sequences seen, prompts counted with each response
  SamplerState sampler;
  json objective = json::object();
  double loss_total = 0;  // of all steps
  // Since the last log entry.
  double loss_sum = 0;
  std::int64_t loss_steps = 0;
  double grad_norm = 0;
  double learning_rate = 0;
  MetricSums metrics;
  json log_history = json::array();
  BestSoFar best;
  std::int64_t run = 0;  // see RunIdentity
  // What the state belongs to.
  std::string data_fingerprint;
  json options = json::object();  // name to value

  json to_json() const;
  static TrainState from_json(const json& content, std::string_view source);
};

// Changes with any token of the data.
std::string data_fingerprint(std::span<const Tree> trees);

// Optimizer state to and from checkpoint folders. UserError for a file that does not fit.
std::size_t optimizer_bytes(const Weights& weights);  // without the file's header
void write_optimizer(const fs::path& folder, const Weights& weights, Ops& ops);
void read_optimizer(const fs::path& folder, const Weights& weights, Ops& ops);

}  // namespace lmpo
