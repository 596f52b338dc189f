#include "report/logged_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>

#include "report/lenient_json.h"

namespace lmpo {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kMostSteps = 1e15;

// Keys that are no metrics.
bool is_place(std::string_view key) {
  static const std::set<std::string_view> places = {
      "step",       "epoch",        "current_steps",  "total_steps",
      "percentage", "elapsed_time", "remaining_time", "predict_loss"};
  return places.contains(key);
}

// LLaMA-Factory's names in trainer_log.jsonl and those of trainer_state.json.
std::string own_name(const std::string& key) {
  return key == "lr"             ? "learning_rate"
         : key == "reward"       ? "rewards/chosen"
         : key == "accuracy"     ? "rewards/accuracies"
         : key == "total_tokens" ? "num_tokens"
                                 : key;
}

// LLaMA-Factory writes both losses into every line, one of them null.
bool is_evaluation(const json& entry) {
  if (member(entry, "loss").is_number()) {
    return false;
  }
  for (const auto& [key, value] : entry.items()) {
    if (key.starts_with("eval_")) {
      return true;
    }
  }
  return false;
}

// TRL's logps/* are sums in some methods and means per token in others. Runs that log both under
// their own names do not need them.
void drop_ambiguous(MetricTable& table) {
  for (const char* prefix : {"", "eval_"}) {
    for (const char* side : {"/chosen", "/rejected"}) {
      if (table.has(fmt::format("{}logps_per_token{}", prefix, side))) {
        table.columns.erase(fmt::format("{}logps{}", prefix, side));
      }
    }
  }
}

}  // namespace

double parse_elapsed(std::string_view text) {
  double days = 0;
  if (const auto comma = text.find(", "); comma != std::string_view::npos) {
    std::int64_t whole = 0;
    std::from_chars(text.data(), text.data() + comma, whole);
    days = static_cast<double>(whole);
    text.remove_prefix(comma + 2);
  }
  double seconds = 0;
  int parts = 0;
  for (const char* at = text.data(); at <= text.data() + text.size(); ++at, ++parts) {
    std::int64_t whole = 0;
    const auto [end, error] = std::from_chars(at, text.data() + text.size(), whole);
    if (error != std::errc() || whole < 0) {
      return kNan;
    }
    seconds = seconds * 60 + static_cast<double>(whole);
    at = end;
    if (at < text.data() + text.size() && *at != ':') {
      return kNan;
    }
  }
  return parts == 3 ? days * 86400 + seconds : kNan;
}

std::size_t LoggedMetrics::number_of(const std::string& metric) {
  const auto [found, is_new] = numbers_.try_emplace(metric, metrics_.size());
  if (is_new) {
    metrics_.push_back(metric);
  }
  return found->second;
}

void LoggedMetrics::add(const json& entry, double step, double seconds) {
  if (!(step >= 0 && step < kMostSteps)) {
    return;
  }
  const bool evaluation = is_evaluation(entry);
  Row* row = nullptr;  // made for the first metric
  for (const auto& [key, value] : entry.items()) {
    if (is_place(key) || key.starts_with("eval_") != evaluation ||
        (!value.is_number() && !value.is_null())) {
      continue;
    }
    row = row != nullptr ? row : &(evaluation ? evaluation_ : training_)[step];
    const std::size_t number = number_of(own_name(key));
    if (row->values.size() <= number) {
      row->values.resize(number + 1, kNan);
    }
    const double found = value.is_number() ? value.get<double>() : kInf;
    row->values[number] = std::isnan(found) ? kInf : found;
  }
  if (row != nullptr) {
    row->epoch = number_or(entry, "epoch", row->epoch);
    row->seconds = std::isnan(seconds) ? row->seconds : seconds;
  }
}

void LoggedMetrics::add_history(const json& entry) {
  // The last entry is the summary of the run.
  if (entry.is_object() && !entry.contains("train_runtime") && !entry.contains("train_loss")) {
    add(entry, number_or(entry, "step", kNan), kNan);
  }
}

double LoggedMetrics::line_seconds(const json& line) {
  const double elapsed = parse_elapsed(text_or(line, "elapsed_time", ""));
  if (std::isnan(elapsed)) {
    return kNan;
  }
  if (elapsed < start_seconds_) {  // the run was resumed
    earlier_seconds_ += start_seconds_;
  }
  start_seconds_ = elapsed;
  // The text has whole seconds; tokens and their rate are more precise if they agree with it.
  const double exact = number_or(line, "total_tokens", kNan) / number_or(line, "throughput", kNan);
  const double seconds = exact >= elapsed && exact < elapsed + 1 ? exact : elapsed;
  seconds_ = std::max(seconds_, earlier_seconds_ + seconds);
  return earlier_seconds_ + seconds;
}

void LoggedMetrics::add_line(const json& line) {
  const double step = number_or(line, "current_steps", kNan);
  if (!(step >= 0 && step < kMostSteps)) {
    return;
  }
  last_line_step_ = std::max(last_line_step_, step);
  total_steps_ = number_or(line, "total_steps", total_steps_);
  add(line, step, line_seconds(line));
}

void LoggedMetrics::drop_beyond_lines() {
  for (Rows* rows : {&training_, &evaluation_}) {
    rows->erase(rows->upper_bound(last_line_step_), rows->end());
  }
}

double LoggedMetrics::last_step() const {
  double step = std::max(last_line_step_, 0.0);
  for (const Rows* rows : {&training_, &evaluation_}) {
    step = rows->empty() ? step : std::max(step, rows->rbegin()->first);
  }
  return step;
}

MetricTable LoggedMetrics::table(const Rows& rows) const {
  MetricTable table;
  std::vector<std::vector<double>*> columns(metrics_.size(), nullptr);
  for (const auto& [step, row] : rows) {
    const std::size_t place = table.size();
    table.step.push_back(step);
    table.epoch.push_back(row.epoch);
    table.seconds.push_back(row.seconds);
    for (std::size_t i = 0; i < row.values.size(); ++i) {
      if (!std::isfinite(row.values[i])) {
        continue;
      }
      if (columns[i] == nullptr) {
        columns[i] = &table.columns[metrics_[i]];
        columns[i]->assign(rows.size(), kNan);
      }
      (*columns[i])[place] = row.values[i];
    }
  }
  drop_ambiguous(table);
  return table;
}

std::vector<NonFinite> LoggedMetrics::not_finite() const {
  std::vector<NonFinite> found;
  for (std::size_t i = 0; i < metrics_.size(); ++i) {
    NonFinite metric{metrics_[i]};
    bool ever_finite = false;
    for (const Rows* rows : {&training_, &evaluation_}) {
      for (const auto& [step, row] : *rows) {
        if (i >= row.values.size() || std::isnan(row.values[i])) {
          continue;
        }
        ever_finite = ever_finite || std::isfinite(row.values[i]);
        if (!std::isfinite(row.values[i])) {
          metric.first_step = metric.entries == 0 ? step : metric.first_step;
          ++metric.entries;
        }
      }
    }
    // A name that never had a value is one that the program only lists.
    const bool matters = ever_finite || metrics_[i] == "loss" || metrics_[i] == "eval_loss";
    if (metric.entries > 0 && matters) {
      found.push_back(std::move(metric));
    }
  }
  return found;
}

}  // namespace lmpo
