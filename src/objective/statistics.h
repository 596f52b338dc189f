// Running mean and deviation of LMPO's margin, and the z-score made of them (docs/method.md
// section 2, "Z-score statistics").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/json.h"
#include "objective/options.h"

namespace lmpo {

// Mean and sum of squared deviations of a growing set of numbers (Welford's update).
struct Moments {
  std::int64_t count = 0;
  double mean = 0;
  double squares = 0;

  void add(double value);
  void merge(const Moments& other);
  // Unbiased. Of fewer than two numbers: `fallback`.
  double deviation(double fallback) const;
};

// What normalises a margin: (m - mean) / deviation.
struct Zscale {
  double mean = 0;
  double deviation = 1;

  double normalize(double value) const { return (value - mean) / deviation; }
};

// Flattened Zscales of a batch, so that processes may send them to one another: mean and deviation
// of each group of pairs in the order of the batch, or of all pairs together.
using Zscales = std::vector<double>;

// The statistics over the life of a run. One training step:
//
//   scales = step_scales(margins)       of the whole batch in order; none unless needs_margins()
//   scale_at(scales, place)             normalises pair number `place` of the batch, from 0
//   update(scales, margins)             the batch's margins, in its order, join the statistics
//
// An evaluation has evaluation_scales instead and no update: it is normalised by the mean and
// deviation of its own margins. The running statistics move while the model stands still, and its
// loss would move with them.
//
// Margins that are not finite are left out. A deviation used is at least 1e-6; that of fewer than
// two values is the one before (1 at the start). Thread safety: const calls may run at the same
// time.
class ZscoreStatistics {
 public:
  ZscoreStatistics(ZscoreMode mode, double decay, std::int64_t group);

  // `code`: always. `ema` and `running`: until the first update.
  bool needs_margins() const;
  Zscales step_scales(std::span<const double> margins) const;
  Zscales evaluation_scales(std::span<const double> margins) const;
  Zscale scale_at(std::span<const double> scales, std::int64_t place) const;
  void update(std::span<const double> scales, std::span<const double> margins);

  // Numbers survive the round trip bit for bit. restore throws UserError for a state that is not
  // one.
  json state() const;
  void restore(const json& state);

 private:
  Zscales group_scales(std::span<const double> margins) const;
  Zscale blend(const Zscale& old, const Moments& recent) const;

  ZscoreMode mode_;
  double decay_;
  std::int64_t group_;

  bool started_ = false;
  Zscale standing_;
  Moments seen_;  // `running`: every pair of the run
};

}  // namespace lmpo
