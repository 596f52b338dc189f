#include "inspect/run_facts.h"

#include <fmt/format.h>

#include <cmath>

#include "base/readable.h"
#include "report/lenient_json.h"
#include "report/run_summary.h"

namespace lmpo {
namespace {

// Quoted for a shell where necessary.
std::string shell_word(const std::string& word) {
  const bool plain = !word.empty() && word.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-+=./:,@%") == std::string::npos;
  if (plain) {
    return word;
  }
  std::string quoted = "'";
  for (const char c : word) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return quoted + "'";
}

std::string flag_of(const std::string& option, const std::string& value) {
  if (value == "true" || value == "false") {
    return fmt::format(" --{}{}", value == "true" ? "" : "no_", option);
  }
  const auto list = value.starts_with('[') ? parse_lenient(value) : std::nullopt;
  if (!list || !list->is_array()) {
    return fmt::format(" --{} {}", option, shell_word(value));
  }
  std::string flags;
  for (const json& each : *list) {
    const std::string text = each.is_string() ? each.get<std::string>() : each.dump();
    flags += fmt::format(" --{} {}", option, shell_word(text));
  }
  return flags;
}

double remaining_seconds(const Run& run) {
  return run.step > 0 ? run.seconds / run.step * (run.total_steps - run.step) : 0;
}

std::string memory_text(double bytes) {
  return readable_bytes(static_cast<std::size_t>(std::min(std::max(bytes, 0.0), 1e18)));
}

void print_rows(const char* data, const std::optional<RowCounts>& rows, TerminalText& out) {
  if (rows) {
    const std::string drops = drops_text(*rows);
    out.prose(fmt::format("{} data: {} of {} rows used, {} truncated{}", data, rows->used,
                          rows->rows, rows->truncated, drops.empty() ? "" : "; " + drops));
  }
}

void print_settings(const Run& run, TerminalText& out) {
  std::int64_t defaults = 0;
  std::string header = run.lmpo_version.empty() ? "" : " of lmpo " + run.lmpo_version;
  if (!run.options.empty()) {
    out.heading("Settings" + header);
  }
  for (const auto& [option, value] : run.options) {
    const auto source = run.option_sources.find(option);
    if (source != run.option_sources.end() && source->second == "default") {
      ++defaults;
    } else {
      out.prose(fmt::format("{}: {}", option, value));
    }
  }
  if (defaults > 0) {
    out.prose(fmt::format("{} more with their default values; --json lists them", defaults),
              Ink::faint);
  }
}

void print_metrics(const Run& run, TerminalText& out) {
  const std::vector<std::string> metrics = main_metrics(run);
  if (!metrics.empty()) {
    out.heading("Metrics");
  }
  for (const std::string& metric : metrics) {
    const MetricEnd end = *metric_end(run, metric);
    out.prose(fmt::format("{}: {} at step {:.0f}; best {} at step {:.0f}", metric,
                          readable_number(end.last), end.last_step, readable_number(end.best),
                          end.best_step));
  }
}

void print_cost(const Run& run, TerminalText& out) {
  out.heading("Time and memory");
  if (run.seconds > 0) {
    out.prose(
        fmt::format("{} of training{}", readable_duration(run.seconds),
                    run.state == RunState::going && run.total_steps > run.step
                        ? fmt::format(", about {} left", readable_duration(remaining_seconds(run)))
                        : ""));
  }
  if (run.tokens > 0) {
    out.prose(fmt::format("{} tokens; {} pairs/s, {} tokens/s", grouped(run.tokens),
                          readable_number(run.pairs_per_second), grouped(run.tokens_per_second)));
  }
  if (run.memory_planned > 0) {
    out.prose(fmt::format(
        "memory: {} planned{}", memory_text(run.memory_planned),
        run.memory_peak > 0 ? ", " + memory_text(run.memory_peak) + " at the peak" : ""));
  }
}

void print_checkpoints(const Run& run, TerminalText& out) {
  if (run.checkpoints.empty()) {
    return;
  }
  out.heading("Checkpoints");
  std::uintmax_t bytes = 0;
  for (const SavedCheckpoint& checkpoint : run.checkpoints) {
    bytes += checkpoint.bytes;
    out.prose(fmt::format("{}: {}{}", checkpoint.folder.filename().string(),
                          readable_bytes(checkpoint.bytes),
                          checkpoint.resumable ? "" : ", cannot resume from it"));
  }
  if (run.checkpoints.size() > 1) {
    out.prose(fmt::format("{} in total", readable_bytes(bytes)));
  }
}

ordered_json rows_json(const std::optional<RowCounts>& rows) {
  if (!rows) {
    return nullptr;
  }
  return {{"rows", rows->rows},
          {"used", rows->used},
          {"truncated", rows->truncated},
          {"dropped", rows->dropped}};
}

}  // namespace

std::string command_of(const Run& run, const std::string& more) {
  if (run.options.empty()) {
    return "";
  }
  std::string command = "lmpo train";
  for (const auto& [option, value] : run.options) {
    const auto source = run.option_sources.find(option);
    const bool chosen = source != run.option_sources.end() && source->second != "default";
    if (chosen && option != "resume_from_checkpoint" && option != "overwrite_output_dir") {
      command += flag_of(option, value);
    }
  }
  // `lmpo sft` sets the objective without an option.
  const auto objective = run.options.find("objective");
  const bool named = command.find(" --objective ") != std::string::npos;
  if (objective != run.options.end() && !named) {
    command += flag_of("objective", objective->second);
  }
  return command + more;
}

std::vector<std::string> next_steps(const Run& run) {
  const std::string folder = shell_word(run.folder.string());
  std::vector<std::string> steps;
  if (run.state == RunState::done) {
    steps.push_back(fmt::format("try it: lmpo generate --model {} --prompt TEXT", folder));
  } else if (run.state != RunState::going) {
    const SavedCheckpoint* newest = newest_resumable(run);
    const std::string command = command_of(
        run, newest != nullptr ? " --resume_from_checkpoint" : " --overwrite_output_dir");
    const std::string what = newest != nullptr ? fmt::format("resume from step {}", newest->step)
                                               : "start again (no checkpoint was saved)";
    if (!command.empty()) {
      steps.push_back(what + ": " + command);
    }
  }
  steps.push_back(fmt::format("see its curves: lmpo report {}", folder));
  return steps;
}

ordered_json to_json(const Run& run) {
  ordered_json metrics = ordered_json::object();
  for (const std::string& metric : main_metrics(run)) {
    const MetricEnd end = *metric_end(run, metric);
    metrics[metric] = {{"last", end.last},
                       {"last_step", end.last_step},
                       {"best", end.best},
                       {"best_step", end.best_step}};
  }
  ordered_json checkpoints = ordered_json::array();
  for (const SavedCheckpoint& checkpoint : run.checkpoints) {
    checkpoints.push_back({{"step", checkpoint.step},
                           {"folder", checkpoint.folder.string()},
                           {"bytes", checkpoint.bytes},
                           {"resumable", checkpoint.resumable}});
  }
  ordered_json not_finite = ordered_json::array();
  for (const NonFinite& metric : run.not_finite) {
    not_finite.push_back({{"metric", metric.metric},
                          {"first_step", metric.first_step},
                          {"entries", metric.entries}});
  }
  return {{"folder", run.folder.string()},
          {"state", name(run.state)},
          {"error", run.error.empty() ? ordered_json() : ordered_json(run.error)},
          {"step", run.step},
          {"total_steps", run.total_steps},
          {"epoch", run.epoch},
          {"seconds", run.seconds},
          {"silent_seconds", run.silent_seconds},
          {"tokens", run.tokens},
          {"pairs_per_second", run.pairs_per_second},
          {"tokens_per_second", run.tokens_per_second},
          {"memory_planned", run.memory_planned},
          {"memory_peak", run.memory_peak},
          {"lmpo_version", run.lmpo_version},
          {"options", run.options},
          {"train_data", rows_json(run.train_rows)},
          {"eval_data", rows_json(run.eval_rows)},
          {"metrics", std::move(metrics)},
          {"not_finite", std::move(not_finite)},
          {"checkpoints", std::move(checkpoints)},
          {"answers", run.answers.size()},
          {"notices", notices_of(run)},
          {"next", next_steps(run)}};
}

void print(const Run& run, TerminalText& out) {
  out.prose(fmt::format("{}: a training run, {}", run.folder.string(), state_text(run)),
            Ink::heading);
  if (run.silent_seconds > 0) {
    out.prose(fmt::format("last written {} ago", readable_duration(run.silent_seconds)));
  }
  print_rows("training", run.train_rows, out);
  print_rows("evaluation", run.eval_rows, out);
  print_metrics(run, out);
  print_cost(run, out);
  print_checkpoints(run, out);
  print_settings(run, out);
  out.warnings(notices_of(run));
  out.heading("Next");
  for (const std::string& step : next_steps(run)) {
    out.prose(step);
  }
}

}  // namespace lmpo
