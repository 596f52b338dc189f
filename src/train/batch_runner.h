// One global batch through the model and the objective: the diagram of docs/design.md.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/language_model.h"
#include "objective/objective.h"
#include "train/packs.h"
#include "tree/tree.h"

namespace lmpo {

// Losses, metrics and observations are joined in the order of the batch, however it was cut.
struct BatchResult {
  double loss = 0;
  MetricSums metrics;
  std::vector<std::int64_t> skipped;  // rows whose scores were not finite
  // For Objective::end_step.
  BatchContext context = {};
  std::vector<Observation> observations = {};
};

// Not thread-safe.
class BatchRunner {
 public:
  // Model and objective must outlive it. skip_nonfinite: skip examples whose scores are not finite,
  // as if their share of the loss were zero; otherwise they are a UserError that names their rows.
  BatchRunner(LanguageModel& model, const Objective& objective, bool skip_nonfinite)
      : model_(model), objective_(objective), skip_nonfinite_(skip_nonfinite) {}

  // Adds the batch's gradients to those of the weights. The caller updates the weights and calls
  // Objective::end_step, unless every row was skipped.
  // `done` is called after each pack, if there are several: `what` is "scoring" or "pack".
  using PackDone = std::function<void(const char* what, std::int64_t pack, std::int64_t packs)>;
  BatchResult train(std::span<const Tree* const> batch, const PackLimits& limits,
                    const PackDone& done = {});
  // Loss and metrics of the examples as one batch, without gradients. `scored` is called after each
  // pack.
  using PackScored = std::function<void(std::int64_t trees, std::int64_t tokens)>;
  BatchResult evaluate(std::span<const Tree* const> batch, const PackLimits& limits,
                       const PackScored& scored = {});

 private:
  using Scores = std::vector<std::vector<ResponseScore>>;

  // The batch of one call. Examples are named by their index in `trees`.
  struct Batch {
    std::span<const Tree* const> trees;
    std::vector<std::int64_t> rows_skipped = {};
    BatchContext context = {};
    std::vector<std::int64_t> places = {};    // in the context, of each example; -1: skipped
    std::vector<ExampleResult> results = {};  // of each example; empty where it was skipped
  };

  Scores score(std::span<const Tree* const> trees, const PackLimits& limits,
               const PackScored& scored = {});
  // The examples among `indices` whose scores (one of each) are finite. Notes the others as skipped
  // or throws.
  PackIndices finite(Batch& batch, const PackIndices& indices, const Scores& scores) const;
  // Scores are those of the examples `kept`, or none.
  void begin(Batch& batch, const PackIndices& kept, const Scores& scores, bool training) const;
  void train_pack(Batch& batch, const PackIndices& indices);
  static BatchResult join(Batch batch);

  LanguageModel& model_;
  const Objective& objective_;
  bool skip_nonfinite_;
};

}  // namespace lmpo
