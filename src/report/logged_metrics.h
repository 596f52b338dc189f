// What a run logged: log_history of trainer_state.json, and trainer_log.jsonl, which is ahead of it
// while the run goes on and knows the time.
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
  // Entries of the history, then lines of the log, each in their order. What is no entry is passed
  // over.
  void add_history(const json& entry);
  void add_line(const json& line);
  // Of a history that an earlier run left: what lies beyond the log's last step.
  void drop_beyond_lines();

  // In order of steps. Without logps/* where logps_per_token/* are there.
  MetricTable training() const { return table(training_); }
  MetricTable evaluation() const { return table(evaluation_); }
  std::vector<NonFinite> not_finite() const;

  double last_step() const;
  double seconds() const { return seconds_; }          // at the last line
  double total_steps() const { return total_steps_; }  // 0: no line says it
  bool empty() const { return training_.empty() && evaluation_.empty(); }

 private:
  struct Row {
    double epoch = 0;
    double seconds = 0;
    std::vector<double> values;  // by the metric's number; infinite where it was not finite
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
  // Of the program's start that wrote the last line, and of all before it.
  double start_seconds_ = 0;
  double earlier_seconds_ = 0;
  double seconds_ = 0;
};

// Seconds of "1:02:03" or "2 days, 1:02:03"; NaN for other texts.
double parse_elapsed(std::string_view text);

}  // namespace lmpo
