// A summary of the scores of preference pairs: `lmpo score`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/dataset.h"
#include "objective/objective.h"
#include "train/scorer.h"

namespace lmpo {

class ScoreSummary {
 public:
  // Takes the summed log-probabilities of a pair's two responses, in nats.
  void add(const Tree& pair, std::span<const double> sums);

  // UserError naming the rows whose log-probabilities are not finite, if there are any.
  void require_finite() const;
  // Numbers of rows; accuracy and margin, of sums and per token; log-probabilities and lengths under
  // the names that training logs. `dataset` holds the pairs.
  ordered_json to_json(const Dataset& dataset) const;
  // The same for a person.
  std::vector<std::string> lines(const Dataset& dataset) const;

 private:
  MetricSums sums_;
  std::int64_t scored_ = 0;
  std::vector<std::int64_t> not_finite_;  // rows
};

// Scores all pairs of a dataset and adds them to the summary. One JSON object a row (docs/formats.md),
// in the order of the rows, dropped ones among them. UserError where a score is not finite.
std::string score_rows(Scorer& scorer, const Dataset& dataset, const PackLimits& limits,
                       ScoreSummary& summary);

}  // namespace lmpo
