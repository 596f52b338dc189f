// How long the parts of rows are: numbers and histograms.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace lmpo {

// Counts of values between edges. counts[0] are below the first edge, counts[i] in
// [edges[i - 1], edges[i]), and the last at or above the last edge.
struct Histogram {
  std::vector<std::int64_t> edges;   // rising
  std::vector<std::int64_t> counts;  // one more than edges

  // "200 to 399", "below -400", "1200 and up".
  std::string label(std::size_t bin) const;
};

// Round edges for all of the values: about twenty at most, over all but the largest (with
// `two_sided` and the smallest) hundredth, so that one extreme row does not squeeze the others into
// one bin.
std::vector<std::int64_t> histogram_edges(std::vector<std::int64_t> values, bool two_sided);
Histogram histogram(std::span<const std::int64_t> values, std::vector<std::int64_t> edges);

// Of one kind of length over the data. Quantiles are the nearest rank's: the smallest value that
// at least that share of all do not exceed. Without values all are 0.
struct LengthSummary {
  std::string name;  // "chosen"
  std::int64_t count = 0;
  double mean = 0;
  std::int64_t least = 0;
  std::int64_t median = 0;
  std::int64_t p90 = 0;
  std::int64_t p99 = 0;
  std::int64_t most = 0;
  Histogram bins;
};

LengthSummary summarize(std::string name, std::vector<std::int64_t> values,
                        std::vector<std::int64_t> edges);
ordered_json to_json(const LengthSummary& summary);

}  // namespace lmpo
