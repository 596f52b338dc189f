// One global batch through the model and the objective: the diagram of docs/design.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "model/llama.h"
#include "objective/objective.h"
#include "train/packs.h"
#include "tree/tree.h"

namespace lmpo {

struct BatchResult {
  double loss = 0;
  MetricSums metrics;
  std::vector<std::int64_t> skipped;  // rows left out because their scores were not finite
};

class BatchRunner {
 public:
  // The model and the objective must outlive it. `skip_nonfinite`: leave out examples whose scores
  // are not finite, as if their share of the loss were zero; otherwise they are a UserError that
  // names their rows.
  BatchRunner(Llama& model, Objective& objective, bool skip_nonfinite)
      : model_(model), objective_(objective), skip_nonfinite_(skip_nonfinite) {}

  // Adds the batch's gradients to those of the weights. Statistics of the objective move on with
  // the call of Objective::end_step, which is the caller's: an update may yet be refused. Where all
  // rows were left out there was no step to end.
  // `done` hears of what is being done with each pack before its step ends.
  using PackDone = std::function<void(const char* what, std::int64_t pack, std::int64_t packs)>;
  BatchResult train(std::span<const Tree* const> batch, const PackLimits& limits,
                    const PackDone& done = {});
  // Loss and metrics of the examples as one batch, without gradients. `scored` hears of each pack.
  using PackScored = std::function<void(std::int64_t trees, std::int64_t tokens)>;
  BatchResult evaluate(std::span<const Tree* const> batch, const PackLimits& limits,
                       const PackScored& scored = {});

 private:
  using Trees = std::vector<const Tree*>;
  using Scores = std::vector<std::vector<ResponseScore>>;

  Scores score(const Trees& batch, const PackLimits& limits, const PackScored& scored = {});
  // Moves trees whose scores are not finite to result.skipped, or throws.
  void leave_out(Trees& batch, Scores& scores, BatchResult& result) const;
  void train_pack(Trees trees, BatchResult& result);

  Llama& model_;
  Objective& objective_;
  bool skip_nonfinite_;
  // Of the batch in training: the place of each tree among those the objective was told of. What
  // was left out has none.
  std::map<const Tree*, std::int64_t> places_;
};

}  // namespace lmpo
