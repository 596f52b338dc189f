// The metrics that a run logged: log_history of trainer_state.json, and trainer_log.jsonl, which is
// ahead of it while the run is going and holds times. Not thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "report/run.h"

namespace lmpo {

class LoggedMetrics {
 public:
  // Add the entries of the history, then the lines of the log, in order. Others are skipped.
  void add_history(const json& entry);
  void add_line(const json& line);
  // Drops entries beyond the log's last step, which an earlier run left behind.
  void drop_beyond_lines();

  // In order of steps. Without logps/* if there are logps_per_token/*.
  MetricTable training() const { return table(training_); }
  MetricTable evaluation() const { return table(evaluation_); }
  std::vector<NonFinite> not_finite() const;

  double last_step() const;
  double seconds() const { return seconds_; }          // at the last line
  double total_steps() const { return total_steps_; }  // 0: unknown
  bool empty() const { return training_.empty() && evaluation_.empty(); }

 private:
  struct Row {
    double epoch = 0;
    double seconds = 0;
    std::vector<double>
        values;  // by the metric's number; infinity for any value that is not finite
  };
  using Rows = std::map<double, Row>;

  void add(const json& entry, double step, double seconds);
  std::size_t number_of(const std::string& metric);
  MetricTable table(const Rows& rows) const;
  double line_seconds(const json& line);

  std::map<std::string, std::size_t> numbers_;
  std::vector<std::string> metrics_;
  Rows training_;
  Rows evaluation_;
  double last_line_step_ = -1;
  double total_steps_ = 0;
  // Since the last start of the program, and of all earlier starts.
  double start_seconds_ = 0;
  double earlier_seconds_ = 0;
  double seconds_ = 0;
};

// Seconds of "1:02:03" or "2 days, 1:02:03"; NaN for other texts.
double parse_elapsed(std::string_view text);

}  // namespace lmpo
