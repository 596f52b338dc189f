// Lengths of the parts of rows: statistics and histograms.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace lmpo {

// counts[0] values are below the first edge, counts[i] are in [edges[i - 1], edges[i]), and the last
// count is of values at or above the last edge.
struct Histogram {
  std::vector<std::int64_t> edges;   // rising
  std::vector<std::int64_t> counts;  // one more than edges

  // "200 to 399", "below -400", "1200 and up".
  std::string label(std::size_t bin) const;
};

// At most about twenty round edges that cover all values but the largest hundredth (and with
// `two_sided` the smallest), so that one extreme row does not squeeze the others into one bin.
std::vector<std::int64_t> histogram_edges(std::vector<std::int64_t> values, bool two_sided);
Histogram histogram(std::span<const std::int64_t> values, std::vector<std::int64_t> edges);

// One kind of length over the data. The q-quantile is the smallest value that at least a share q of
// all values do not exceed (nearest rank). All are 0 without values.
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
