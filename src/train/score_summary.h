// What the scores of preference pairs come to: `lmpo score`.
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
  // The summed log-probabilities of a pair's two responses.
  void add(const Tree& pair, std::span<const double> sums);

  // UserError that names the rows whose log-probabilities are not finite, where there are any.
  void require_finite() const;
  // By name: accuracy and margin, by sums and per token; log-probabilities and lengths under the
  // names that a training logs; numbers of rows. `dataset` is what the pairs are of.
  ordered_json to_json(const Dataset& dataset) const;
  // The same for a person, a line each.
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
