#include "report/training_charts.h"

#include "report/logged_metrics.h"
#include "report/run_charts.h"

namespace lmpo {
namespace {

constexpr std::size_t kBuckets = 500;  // about a chart's pixels

}  // namespace

std::vector<Chart> training_charts(const json& log_history) {
  LoggedMetrics log;
  for (const json& entry : log_history) {
    log.add_history(entry);
  }
  Run run;
  run.training = log.training();
  run.evaluation = log.evaluation();
  std::vector<Chart> charts;
  for (const ChartPlan& plan : plan_charts({&run, 1})) {
    if (plan.usual) {
      charts.push_back(drawn(plan, {&run, 1}, kBuckets));
    }
  }
  return charts;
}

void write_training_charts(const fs::path& path, const json& log_history) {
  write_file_atomically(path, charts_svg(training_charts(log_history)));
}

}  // namespace lmpo
