#include "report/model_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/json.h"

namespace lmpo {
namespace {

struct KnownTask {
  std::string_view name;
  std::string_view title;
};
// The columns of the paper's Table 4.
constexpr auto kPaperTasks = std::to_array<KnownTask>({{"leaderboard_mmlu_pro", "MMLU-Pro"},
                                                       {"leaderboard_ifeval", "IFEval"},
                                                       {"ifeval", "IFEval"},
                                                       {"leaderboard_bbh", "BBH"},
                                                       {"leaderboard_gpqa", "GPQA"},
                                                       {"leaderboard_musr", "MuSR"},
                                                       {"leaderboard_math_hard", "MATH"},
                                                       {"gsm8k", "GSM8K"},
                                                       {"arc_challenge", "ARC"},
                                                       {"truthfulqa_mc", "TruthfulQA"},
                                                       {"truthfulqa_mc2", "TruthfulQA"},
                                                       {"winogrande", "Winogrande"}});
// Of a task with several metrics, the first of these that it has.
constexpr auto kMetrics =
    std::to_array<std::string_view>({"acc_norm", "prompt_level_strict_acc", "mc2", "acc"});

// A share; perplexities are none.
bool is_share(const std::string& key, const ordered_json& value) {
  const auto has = [&](std::string_view part) { return key.find(part) != std::string::npos; };
  return has(",") && !has("_stderr,") && !has("perplexity,") && !has("bits_per_byte,") &&
         value.is_number();
}

// "metric,filter" of the number that stands for these results; "" where there is none.
std::string chosen_metric(const ordered_json& numbers) {
  for (const std::string_view metric : kMetrics) {
    for (const auto& [key, value] : numbers.items()) {
      if (key.starts_with(fmt::format("{},", metric)) && value.is_number()) {
        return key;
      }
    }
  }
  for (const auto& [key, value] : numbers.items()) {
    if (is_share(key, value)) {
      return key;
    }
  }
  return "";
}

// Names hold dates, so the last is the newest.
std::optional<fs::path> newest_results(const fs::path& folder) {
  std::optional<fs::path> newest;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_results_file(entry.path()) && (!newest || *newest < entry.path())) {
      newest = entry.path();
    }
  }
  return newest;
}

fs::path results_file(const fs::path& folder) {
  if (!is_folder(folder)) {
    user_error("{}: a folder with results of lmpo eval was expected", folder.string());
  }
  if (const auto own = newest_results(folder)) {
    return *own;
  }
  std::vector<fs::path> inside;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (const auto file =
            entry.is_directory() ? newest_results(entry.path()) : std::optional<fs::path>()) {
      inside.push_back(*file);
    }
  }
  if (inside.size() > 1) {
    user_error("{} has results of {} models: name the folder of one of them, such as {}",
               folder.string(), inside.size(), inside.front().parent_path().string());
  }
  if (inside.empty()) {
    user_error("{} has no results_*.json: lmpo eval --output_path DIR writes one", folder.string());
  }
  return inside.front();
}

std::optional<double> error_of(const ordered_json& numbers, std::string metric) {
  metric.insert(metric.find(','), "_stderr");
  const auto found = numbers.find(metric);
  return found != numbers.end() && found->is_number() ? std::optional(found->get<double>())
                                                      : std::nullopt;
}

// lm-eval knows only the path that it was given.
std::string model_path(const json& facts) {
  for (const char* key : {"lmpo_model_path", "model_name"}) {
    if (const auto found = facts.find(key); found != facts.end() && found->is_string()) {
      return found->get<std::string>();
    }
  }
  return "";
}

// The values of a metric in samples_TASK_DATE.jsonl; nothing where there is no such file.
void add_samples(const fs::path& file, const std::string& metric,
                 std::map<std::string, double>& values) {
  if (!fs::exists(file)) {
    return;
  }
  const std::size_t comma = metric.find(',');
  const std::string name = metric.substr(0, comma);
  const std::string filter = metric.substr(comma + 1);
  const std::string text = read_file(file);
  std::int64_t line = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string source = fmt::format("{}:{}", file.string(), ++line);
    const json sample = parse_json(std::string_view(text).substr(begin, end - begin), source);
    begin = end + 1;
    if (optional<std::string>(sample, "filter", filter, source) != filter) {
      continue;
    }
    if (const auto value = sample.find(name); value != sample.end() && value->is_number()) {
      // Documents that are the same twice are told apart by their number.
      std::string key = required<std::string>(sample, "doc_hash", source);
      if (values.contains(key)) {
        key += fmt::format(" {}", required<std::int64_t>(sample, "doc_id", source));
      }
      values[key] = value->get<double>();
    }
  }
}

// The tasks below a group; a task itself.
void add_members(const json& groups, const std::string& name, std::set<std::string>& members) {
  const auto found = groups.find(name);
  if (found == groups.end() || !found->is_array() || found->empty()) {
    members.insert(name);
    return;
  }
  for (const json& member : *found) {
    if (member.is_string() && members.size() < 1000) {
      add_members(groups, member.get<std::string>(), members);
    }
  }
}

// Names of results that no group of these results holds.
std::vector<std::string> outermost(const ordered_json& results, const json& groups) {
  std::set<std::string> inside;
  for (const auto& [name, members] : groups.items()) {
    for (const json& member : members) {
      if (member.is_string() && member != name) {
        inside.insert(member.get<std::string>());
      }
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, numbers] : results.items()) {
    if (numbers.is_object() && !inside.contains(name)) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace

bool is_results_file(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.starts_with("results_") && name.ends_with(".json");
}

ModelScores read_results_file(const std::string& name, const fs::path& file) {
  const std::string source = file.string();
  const std::string text = read_file(file);
  const ordered_json all = parse_ordered_json(text, source);
  const auto results = all.find("results");
  if (results == all.end() || !results->is_object()) {
    user_error("{}: an object \"results\" was expected, as lmpo eval and lm-eval write it", source);
  }
  const json facts = parse_json(text, source);
  const json groups = facts.value("group_subtasks", json::object());
  const std::string date = file.stem().string().substr(std::string_view("results").size());
  ModelScores scores{.name = name, .model = model_path(facts), .tasks = {}};
  for (const std::string& task : outermost(*results, groups)) {
    const ordered_json& numbers = (*results)[task];
    TaskScore score{.metric = chosen_metric(numbers)};
    if (score.metric.empty()) {
      continue;
    }
    score.value = numbers[score.metric].get<double>();
    score.error = error_of(numbers, score.metric);
    std::set<std::string> members;
    add_members(groups, task, members);
    for (const std::string& member : members) {
      add_samples(file.parent_path() / fmt::format("samples_{}{}.jsonl", member, date),
                  score.metric, score.by_document);
    }
    const json shots = facts.value("n-shot", json::object());
    if (members.size() == 1 && shots.contains(task) && shots[task].is_number_integer()) {
      score.examples = shots[task].get<std::int64_t>();
    }
    const json count = json(numbers).value("sample_len", json());
    score.documents =
        count.is_number_integer() ? count.get<std::int64_t>() : std::ssize(score.by_document);
    scores.tasks[task] = std::move(score);
  }
  if (scores.tasks.empty()) {
    user_error("{}: no task has a number", source);
  }
  return scores;
}

ModelScores read_model_scores(const std::string& name, const fs::path& folder) {
  return read_results_file(name, results_file(folder));
}

std::string task_title(const std::string& task) {
  const auto known = std::ranges::find(kPaperTasks, task, &KnownTask::name);
  return known == kPaperTasks.end() ? task : std::string(known->title);
}

std::vector<std::string> tasks_of(std::span<const ModelScores> models) {
  std::set<std::string> left;
  for (const ModelScores& model : models) {
    for (const auto& [task, score] : model.tasks) {
      left.insert(task);
    }
  }
  std::vector<std::string> columns;
  for (const KnownTask& known : kPaperTasks) {
    if (left.erase(std::string(known.name)) > 0) {
      columns.emplace_back(known.name);
    }
  }
  columns.insert(columns.end(), left.begin(), left.end());
  return columns;
}

}  // namespace lmpo
