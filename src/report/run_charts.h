// The charts of runs, and the metrics in each. Pure functions.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/chart.h"
#include "report/run.h"

namespace lmpo {

struct Curve {
  std::string metric;  // a column of the training or the evaluation table
  bool evaluation = false;
  std::string kind;     // "training", "chosen", ...: its name beside the run's
  bool dashed = false;  // to tell it from other curves of the run
  bool shown = true;    // at first
  bool noisy = true;    // worth smoothing
};

struct ChartPlan {
  std::string id;  // a file name without its ending
  std::string title;
  std::string note;  // how to read it; may be empty
  std::vector<Curve> curves;
  bool usual = true;  // false: made for a metric that lmpo does not know
};

// The charts for which these runs have data: the usual ones in their order, then one for each other
// metric by name.
std::vector<ChartPlan> plan_charts(std::span<const Run> runs);

// A curve of one run over its steps, without entries that lack the metric.
std::vector<Point> points_of(const Run& run, const Curve& curve);

// A plan as a chart over the steps of all runs, in the colours of a file. Series::kind is the curve's
// number; curves that are not shown at first are hidden. At most 2 * `buckets` points a line.
Chart drawn(const ChartPlan& plan, std::span<const Run> runs, std::size_t buckets);

}  // namespace lmpo
