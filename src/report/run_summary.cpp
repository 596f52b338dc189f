#include "report/run_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace lmpo {
namespace {

constexpr std::array kMain = {
    "eval_loss", "eval_rewards/accuracies", "eval_rewards/margins", "eval_mean_token_accuracy",
    "loss",      "rewards/accuracies",      "rewards/margins",      "mean_token_accuracy"};

bool less_is_better(std::string_view metric) {
  return metric == "loss" || metric.ends_with("_loss");
}

std::string progress_text(const Run& run) {
  return run.total_steps > 0 ? fmt::format("step {:.0f} of {:.0f}", run.step, run.total_steps)
                             : fmt::format("step {:.0f}", run.step);
}

}  // namespace

std::string state_text(const Run& run) {
  switch (run.state) {
    case RunState::done:
      return fmt::format("done: {:.0f} steps", run.step);
    case RunState::going:
      return "going: " + progress_text(run);
    case RunState::interrupted:
    case RunState::failed:
    case RunState::killed:
      break;
  }
  return fmt::format("{} at {}", name(run.state), progress_text(run));
}

std::optional<MetricEnd> metric_end(const Run& run, std::string_view metric) {
  const MetricTable& table = metric.starts_with("eval_") ? run.evaluation : run.training;
  const std::vector<double>* values = table.find(metric);
  std::optional<MetricEnd> end;
  for (std::size_t i = 0; values != nullptr && i < values->size(); ++i) {
    const double value = (*values)[i];
    if (!std::isfinite(value)) {
      continue;
    }
    if (!end) {
      end = MetricEnd{.best = value, .best_step = table.step[i]};
    }
    end->last = value;
    end->last_step = table.step[i];
    if (less_is_better(metric) ? value < end->best : value > end->best) {
      end->best = value;
      end->best_step = table.step[i];
    }
  }
  return end;
}

std::vector<std::string> main_metrics(const Run& run) {
  std::vector<std::string> found;
  for (const char* metric : kMain) {
    if (metric_end(run, metric)) {
      found.emplace_back(metric);
    }
  }
  return found;
}

std::string drops_text(const RowCounts& rows) {
  std::string reasons;
  std::int64_t dropped = 0;
  for (const auto& [reason, count] : rows.dropped) {
    dropped += count;
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", reason, count);
  }
  return dropped == 0 ? "" : fmt::format("{} of {} rows dropped: {}", dropped, rows.rows, reasons);
}

std::vector<std::string> notices_of(const Run& run) {
  std::vector<std::string> notices;
  if (run.state == RunState::failed) {
    notices.push_back("ended by an error: " + run.error);
  }
  if (run.state == RunState::killed) {
    notices.push_back(fmt::format(
        "stopped at or after step {:.0f} without recording why: killed, or the machine went down",
        run.step));
  }
  for (const NonFinite& metric : run.not_finite) {
    notices.push_back(fmt::format(
        "{} is not finite {}", metric.metric,
        metric.entries == 1
            ? fmt::format("at step {:.0f}", metric.first_step)
            : fmt::format("{} times, first at step {:.0f}", metric.entries, metric.first_step)));
  }
  for (const auto& [data, rows] :
       {std::pair("training", &run.train_rows), std::pair("evaluation", &run.eval_rows)}) {
    if (const std::string drops = *rows ? drops_text(**rows) : ""; !drops.empty()) {
      notices.push_back(fmt::format("{} data: {}", data, drops));
    }
  }
  notices.insert(notices.end(), run.notices.begin(), run.notices.end());
  return notices;
}

const SavedCheckpoint* newest_resumable(const Run& run) {
  const auto found = std::find_if(run.checkpoints.rbegin(), run.checkpoints.rend(),
                                  [](const SavedCheckpoint& each) { return each.resumable; });
  return found == run.checkpoints.rend() ? nullptr : &*found;
}

std::string readable_number(double value) {
  return fmt::format("{:.4g}", value);
}

std::string grouped(double whole) {
  const std::string digits = fmt::format("{:.0f}", whole);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool between = i > 0 && digits[i - 1] != '-';
    text += between && (digits.size() - i) % 3 == 0 ? "," : "";
    text += digits[i];
  }
  return text;
}

}  // namespace lmpo
