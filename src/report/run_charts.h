// Which charts are made of runs, and which of their metrics are in each.
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
  std::string kind;     // "training", "chosen", ...: what it is called beside the run's name
  bool dashed = false;  // tells it from others of the same run
  bool shown = true;    // at first
  bool noisy = true;    // worth smoothing
};

struct ChartPlan {
  std::string id;  // a file's name, without ending
  std::string title;
  std::string note;  // what to know when reading it; may be empty
  std::vector<Curve> curves;
  bool usual = true;  // not one of those that are made for metrics that nothing is known of
};

// The charts that these runs have something for: the usual ones in their order, then one for each
// other metric.
std::vector<ChartPlan> plan_charts(std::span<const Run> runs);

// A curve of one run over its steps, without the entries that lack the metric.
std::vector<Point> points_of(const Run& run, const Curve& curve);

// A plan drawn for all runs, by steps. At most 2 x `buckets` points a line.
Chart drawn(const ChartPlan& plan, std::span<const Run> runs, std::size_t buckets);

}  // namespace lmpo
