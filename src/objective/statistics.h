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

// What a margin is normalised with: (m - mean) / deviation.
struct Zscale {
  double mean = 0;
  double deviation = 1;

  double normalize(double value) const { return (value - mean) / deviation; }
};

// The statistics over the life of a run, used as an Objective is:
//   begin(margins)            a training step, with the whole batch's margins when needs_margins()
//   evaluate(margins)         instead of it: an evaluation, with the margins of all its pairs
//   turn_to(place)            says which pair of the batch is next; without it, one after another
//   next()                    the scale of the next pair
//   observe(margin)           what the pair's margin turned out to be
//   end()                     after a training step: the batch joins the statistics
// What begin prepares is not kept unless end follows. An evaluation is normalised by the mean and
// deviation of its own margins: the running statistics move while the model stands still, and its
// loss would move with them. Values that are not finite are left out.
// A deviation is never below 1e-6; one of fewer than two values keeps the deviation that was (1 at
// the start). Not thread-safe.
class ZscoreStatistics {
 public:
  ZscoreStatistics(ZscoreMode mode, double decay, std::int64_t group);

  // `code`: always. `ema` and `running`: until the first training step has ended.
  bool needs_margins() const;
  void begin(std::span<const double> margins);
  void evaluate(std::span<const double> margins);
  void turn_to(std::int64_t place) { position_ = place; }
  Zscale next();
  void observe(double margin);
  void end();

  // Numbers survive the round trip bit for bit. restore throws UserError for a state that is not
  // one.
  json state() const;
  void restore(const json& state);

 private:
  void follow_groups(std::span<const double> margins);
  Zscale blend(const Zscale& old, const Moments& recent) const;

  ZscoreMode mode_;
  double decay_;
  std::int64_t group_;

  // Kept from step to step.
  bool started_ = false;
  Zscale standing_;
  Moments seen_;  // `running`: every pair of the run

  // Of the step in progress.
  std::vector<Zscale> scales_;  // `code`: one for each group; otherwise one for all
  std::int64_t position_ = 0;   // of the pair that asks next
  Moments batch_;
};

}  // namespace lmpo
