#include "report/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/host_name.h"
#include "base/path_kind.h"
#include "report/answers.h"
#include "report/lenient_json.h"
#include "report/logged_metrics.h"

namespace lmpo {
namespace {

constexpr const char* kRecord = "lmpo_run.json";
constexpr const char* kState = "trainer_state.json";
constexpr const char* kLog = "trainer_log.jsonl";
constexpr const char* kSamples = "eval_samples.jsonl";
// Seconds without a write after which a run on another machine counts as killed.
constexpr double kLongestSilence = 600;

// Null with a notice if the text is not empty and not an object.
json object_of(std::string_view text, const char* file, Run& run) {
  if (text.empty()) {
    return nullptr;
  }
  auto value = parse_lenient(text);
  if (!value || !value->is_object()) {
    run.notices.push_back(fmt::format("{}: not a JSON object, so it is ignored", file));
    return nullptr;
  }
  return std::move(*value);
}

void note_unread(const char* file, std::int64_t lines, Run& run) {
  if (lines > 0) {
    run.notices.push_back(
        fmt::format("{}: {} not JSON and left out", file,
                    lines == 1 ? "a line is" : fmt::format("{} lines are", lines)));
  }
}

std::string value_text(const json& value) {
  return value.is_string() ? value.get<std::string>()
         : value.is_null() ? "none"
                           : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void read_options(const json& options, Run& run) {
  if (!options.is_object()) {
    return;
  }
  for (const auto& [option, entry] : options.items()) {
    run.options[option] = value_text(entry.is_object() ? member(entry, "value") : entry);
    run.option_sources[option] = text_or(entry, "source", "");
  }
}

std::optional<RowCounts> read_rows(const json& data) {
  if (!data.is_object()) {
    return std::nullopt;
  }
  RowCounts counts = {.rows = integer_or(data, "rows", 0),
                      .used = integer_or(data, "used", 0),
                      .truncated = integer_or(data, "truncated", 0),
                      .dropped = {}};
  const json& dropped = member(data, "dropped");
  for (auto item = dropped.begin(); dropped.is_object() && item != dropped.end(); ++item) {
    counts.dropped[item.key()] = integer_or(dropped, item.key(), 0);
  }
  return counts;
}

void read_record(const json& record, Run& run) {
  run.lmpo_version = text_or(record, "lmpo_version", "");
  run.total_steps = number_or(record, "steps", 0);
  run.memory_planned = number_or(member(record, "memory"), "planned", 0);
  read_options(member(record, "options"), run);
  run.train_rows = read_rows(member(record, "train_data"));
  run.eval_rows = read_rows(member(record, "eval_data"));
}

void read_results(const json& results, Run& run) {
  run.seconds = std::max(run.seconds, number_or(results, "train_runtime", 0));
  run.pairs_per_second = number_or(results, "train_samples_per_second", run.pairs_per_second);
  run.tokens_per_second = number_or(results, "train_tokens_per_second", run.tokens_per_second);
  run.memory_peak = number_or(results, "memory_peak", run.memory_peak);
}

double last_finite(const std::vector<double>* values) {
  for (std::size_t i = values == nullptr ? 0 : values->size(); i > 0; --i) {
    if (std::isfinite((*values)[i - 1])) {
      return (*values)[i - 1];
    }
  }
  return 0;
}

// Fills in what the run has not recorded itself.
void fill_from_log(const LoggedMetrics& log, Run& run) {
  run.training = log.training();
  run.evaluation = log.evaluation();
  run.not_finite = log.not_finite();
  run.step = std::max(run.step, log.last_step());
  run.total_steps = run.total_steps > 0 ? run.total_steps : log.total_steps();
  run.seconds = std::max(run.seconds, log.seconds());
  run.tokens = std::max(run.tokens, last_finite(run.training.find("num_tokens")));
  for (const MetricTable* table : {&run.training, &run.evaluation}) {
    run.epoch = table->epoch.empty() ? run.epoch : std::max(run.epoch, table->epoch.back());
  }
  if (run.tokens_per_second == 0) {
    run.tokens_per_second = last_finite(run.training.find("throughput"));
  }
  if (run.pairs_per_second == 0 && run.train_rows && run.seconds > 0) {
    run.pairs_per_second = run.epoch * static_cast<double>(run.train_rows->used) / run.seconds;
  }
}

// N of "checkpoint-N".
std::optional<std::int64_t> checkpoint_step(const std::string& name) {
  constexpr std::string_view prefix = "checkpoint-";
  std::int64_t step = 0;
  const char* end = name.data() + name.size();
  if (!name.starts_with(prefix)) {
    return std::nullopt;
  }
  const auto [last, error] = std::from_chars(name.data() + prefix.size(), end, step);
  return error == std::errc() && last == end && step > 0 ? std::optional(step) : std::nullopt;
}

std::uintmax_t bytes_in(const fs::path& folder) {
  std::uintmax_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;  // files come and go while the run is going
    const std::uintmax_t size = at->is_regular_file(gone) ? at->file_size(gone) : 0;
    bytes += gone ? 0 : size;
  }
  return bytes;
}

std::vector<SavedCheckpoint> checkpoints_in(const fs::path& folder) {
  std::vector<SavedCheckpoint> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto step = checkpoint_step(at->path().filename().string());
    std::error_code gone;
    if (step && at->is_directory(gone)) {
      found.push_back({.step = *step,
                       .folder = at->path(),
                       .bytes = bytes_in(at->path()),
                       .resumable = is_file(at->path() / "lmpo_state.json") &&
                                    is_file(at->path() / "optimizer.safetensors")});
    }
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) { return a.step < b.step; });
  return found;
}

// A file may be missing, or vanish meanwhile.
std::string content_of(const fs::path& file, Run& run) {
  if (!is_file(file)) {
    return "";
  }
  try {
    return read_file(file);
  } catch (const std::runtime_error& error) {
    run.notices.emplace_back(error.what());
    return "";
  }
}

double silent_seconds(const fs::path& folder) {
  double least = std::numeric_limits<double>::infinity();
  for (const char* file : {kRecord, kState, kLog, kSamples}) {
    std::error_code error;
    const auto written = fs::last_write_time(folder / file, error);
    if (!error) {
      const std::chrono::duration<double> age = fs::file_time_type::clock::now() - written;
      least = std::min(least, std::max(0.0, age.count()));
    }
  }
  return std::isfinite(least) ? least : 0;
}

// What decides the state of a run.
struct Ending {
  json record;
  bool made_all_steps = false;  // by its trainer_state.json
};

RunState state_of(const Ending& ending, Run& run) {
  if (FileLock::is_held(run.folder)) {
    return RunState::going;
  }
  const json& end = member(ending.record, "end");
  const std::string how = text_or(end, "how", "");
  if (how == "failed") {
    run.error = text_or(end, "message", "");
    return RunState::failed;
  }
  if (how == "interrupted") {
    return RunState::interrupted;
  }
  if (how == "done" || member(ending.record, "result").is_object() ||
      (ending.record.is_null() && ending.made_all_steps)) {
    return RunState::done;
  }
  const bool elsewhere = text_or(ending.record, "host", "") != host_name();
  return elsewhere && run.silent_seconds < kLongestSilence ? RunState::going : RunState::killed;
}

void read_history(const json& state, LoggedMetrics& log, Run& run) {
  const json& history = member(state, "log_history");
  if (history.is_array() && !history.empty()) {
    for (const json& entry : history) {
      log.add_history(entry);
    }
    read_results(history.back(), run);
  }
  run.step = number_or(state, "global_step", 0);
  run.tokens = number_or(state, "num_input_tokens_seen", 0);
  run.epoch = number_or(state, "epoch", 0);
  run.total_steps = run.total_steps > 0 ? run.total_steps : number_or(state, "max_steps", 0);
}

void read_lines(std::string_view text, const json& record, LoggedMetrics& log, Run& run) {
  bool has_lines = false;
  const std::int64_t unread = for_each_json_line(text, [&](json&& line) {
    has_lines = true;
    log.add_line(line);
  });
  note_unread(kLog, unread, run);
  // A run that was restarted or resumed leaves an older state behind.
  if (has_lines && record.is_object() && !member(record, "result").is_object()) {
    log.drop_beyond_lines();
    run.step = 0;
    run.epoch = 0;
    run.tokens = 0;
  }
}

Ending read_files(const RunFiles& files, Run& run) {
  Ending ending;
  ending.record = object_of(files.record, kRecord, run);
  read_record(ending.record, run);
  read_results(member(ending.record, "result"), run);
  LoggedMetrics log;
  {
    const json state = object_of(files.state, kState, run);
    read_history(state, log, run);
    const double total = number_or(state, "max_steps", 0);
    ending.made_all_steps = total > 0 && number_or(state, "global_step", 0) >= total;
  }
  read_lines(files.log, ending.record, log, run);
  fill_from_log(log, run);
  note_unread(kSamples, read_samples(files.samples, run.answers), run);
  return ending;
}

}  // namespace

void read_run_files(const RunFiles& files, Run& run) {
  read_files(files, run);
}

bool is_run_folder(const fs::path& folder) {
  return is_file(folder / kRecord) || is_file(folder / kState) || is_file(folder / kLog);
}

Run read_run_folder(const fs::path& folder) {
  if (!is_run_folder(folder)) {
    user_error("{}: not a run: {}", folder.string(), kExpectedRun);
  }
  Run run;
  run.folder = folder;
  run.name = folder.filename().string();
  run.checkpoints = checkpoints_in(folder);
  fs::path state = folder / kState;
  if (!is_file(state) && !run.checkpoints.empty()) {
    state = run.checkpoints.back().folder / kState;
  }
  run.silent_seconds = silent_seconds(folder);
  const Ending ending = read_files({.record = content_of(folder / kRecord, run),
                                    .state = content_of(state, run),
                                    .log = content_of(folder / kLog, run),
                                    .samples = content_of(folder / kSamples, run)},
                                   run);
  run.state = state_of(ending, run);
  return run;
}

}  // namespace lmpo
