#include "report/evaluations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "base/mean_error.h"
#include "report/lenient_json.h"

namespace lmpo {
namespace {

struct ResultsFile {
  fs::path path;
  json content;
};

// The results below a folder, the oldest first.
std::vector<ResultsFile> results_below(const fs::path& folder) {
  std::vector<ResultsFile> files;
  std::error_code error;
  constexpr auto kQuietly = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(folder, kQuietly, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with("results_") || !name.ends_with(".json") || !at->is_regular_file(error)) {
      continue;
    }
    std::optional<json> content = parse_lenient(read_file(at->path()));
    if (!content || !member(*content, "results").is_object()) {
      log_warning("{}: not the results of an evaluation; left out", at->path().string());
      continue;
    }
    files.push_back({at->path(), std::move(*content)});
  }
  std::ranges::sort(files, [](const ResultsFile& a, const ResultsFile& b) {
    return std::pair(number_or(a.content, "date", 0), a.path) <
           std::pair(number_or(b.content, "date", 0), b.path);
  });
  return files;
}

// The tasks of a group, through groups in it.
void add_leaves(const json& groups, const std::string& name, std::set<std::string>& leaves,
                int depth = 0) {
  const json& members = member(groups, name);
  if (!members.is_array() || members.empty() || depth > 8) {
    leaves.insert(name);
    return;
  }
  for (const json& inner : members) {
    if (inner.is_string()) {
      add_leaves(groups, inner.get<std::string>(), leaves, depth + 1);
    }
  }
}

// The metric that papers report of such a task, as "METRIC,FILTER"; empty if there is none.
std::string main_metric(const json& numbers) {
  constexpr std::array kPreferred = {"acc_norm,",    "exact_match,strict-match",
                                     "exact_match,", "prompt_level_strict_acc,",
                                     "acc,",         ""};
  for (const std::string_view preferred : kPreferred) {
    for (const auto& [key, value] : numbers.items()) {
      if (key.starts_with(preferred) && key.find(',') != std::string::npos &&
          key.find("_stderr,") == std::string::npos && value.is_number()) {
        return key;
      }
    }
  }
  return "";
}

TaskScore score_of(const ResultsFile& file, const std::string& task, const std::string& key,
                   const std::set<std::string>& leaves) {
  const json& all = file.content;
  const json& numbers = all["results"][task];
  const std::size_t comma = key.find(',');
  TaskScore score;
  score.metric = key.substr(0, comma);
  score.filter = key.substr(comma + 1);
  score.value = number_or(numbers, key, std::nan(""));
  score.error = number_or(numbers, score.metric + "_stderr," + score.filter, std::nan(""));
  std::string date = file.path.stem().string();
  date.erase(0, std::string_view("results").size());
  std::int64_t documents = 0;
  std::set<std::int64_t> shots;
  for (const std::string& leaf : leaves) {
    documents += integer_or(member(member(all, "n-samples"), leaf), "effective", 0);
    shots.insert(integer_or(member(all, "n-shot"), leaf, 0));
    score.parts.push_back(file.path.parent_path() / fmt::format("samples_{}{}.jsonl", leaf, date));
  }
  score.settings = fmt::format("{}-shot, {} documents{}", fmt::join(shots, " and "), documents,
                               member(all, "chat_template").is_string() ? ", chat template" : "");
  return score;
}

void add_scores(const ResultsFile& file, Evaluation& to) {
  const json& results = file.content["results"];
  const json& groups = member(file.content, "group_subtasks");
  std::map<std::string, std::set<std::string>> leaves;
  std::set<std::string> inside;
  for (const auto& [task, numbers] : results.items()) {
    if (main_metric(numbers).empty()) {
      continue;
    }
    add_leaves(groups, task, leaves[task]);
    for (const std::string& leaf : leaves[task]) {
      if (leaf != task) {
        inside.insert(leaf);
      }
    }
  }
  for (const auto& [task, its] : leaves) {
    if (!inside.contains(task)) {
      to.scores[task] = score_of(file, task, main_metric(results[task]), its);
    }
  }
}

fs::path full_path(const fs::path& path) {
  std::error_code error;
  const fs::path found = fs::weakly_canonical(path, error);
  return error ? path : found.has_filename() ? found : found.parent_path();
}

// A run's name, with the checkpoint's where the model is one; else the name of the model's folder.
std::string model_name(const std::string& model, std::span<const Run> runs) {
  for (const Run& run : runs) {
    const fs::path inside = full_path(model).lexically_relative(full_path(run.folder));
    if (inside == ".") {
      return run.name;
    }
    if (!inside.empty() && *inside.begin() != "..") {
      return run.name + " " + inside.string();
    }
  }
  const std::string last = full_path(model).filename().string();
  return last.empty() ? model : last;
}

class EvaluationReader {
 public:
  explicit EvaluationReader(std::span<const Run> runs) : runs_(runs) {}

  // `name` is the models' where they are no runs' and it is not empty. Returns how many files.
  std::size_t add(const fs::path& folder, const std::string& name) {
    const std::vector<ResultsFile> files = results_below(folder);
    for (const ResultsFile& file : files) {
      if (read_.insert(full_path(file.path)).second) {
        const std::string model(text_or(file.content, "model_name", "model"));
        add_scores(file, of(name.empty() ? model_name(model, runs_) : name));
      }
    }
    return files.size();
  }
  std::vector<Evaluation> take() { return std::move(evaluations_); }

 private:
  Evaluation& of(const std::string& name) {
    const auto found = std::ranges::find(evaluations_, name, &Evaluation::name);
    return found != evaluations_.end() ? *found : evaluations_.emplace_back(Evaluation{name, {}});
  }

  std::span<const Run> runs_;
  std::set<fs::path> read_;
  std::vector<Evaluation> evaluations_;
};

// A document's right answer and number, by its place.
using Documents = std::map<std::int64_t, std::pair<std::string, double>>;

Documents documents_of(const fs::path& samples, const TaskScore& score) {
  Documents documents;
  if (!fs::exists(samples)) {
    return documents;
  }
  for_each_json_line(read_file(samples), [&](json&& line) {
    const json& value = member(line, score.metric);
    if (text_or(line, "filter", "none") == score.filter &&
        (value.is_number() || value.is_boolean())) {
      documents[integer_or(line, "doc_id", -1)] = {
          std::string(text_or(line, "target_hash", "")),
          value.is_boolean() ? (value.get<bool>() ? 1.0 : 0.0) : value.get<double>()};
    }
  });
  return documents;
}

}  // namespace

std::vector<Evaluation> read_evaluations(std::span<const std::string> names,
                                         std::span<const Run> runs) {
  EvaluationReader reader(runs);
  for (const std::string& text : names) {
    const std::size_t equals = text.find('=');
    const bool labelled = equals != std::string::npos && equals > 0 && !fs::exists(text);
    const fs::path folder = labelled ? text.substr(equals + 1) : text;
    if (reader.add(folder, labelled ? text.substr(0, equals) : "") == 0) {
      user_error(
          "--evaluations {}: no results found; a folder that lmpo eval or lm-eval wrote to "
          "(--output_path) was expected, with results_*.json in it",
          folder.string());
    }
  }
  for (const Run& run : runs) {
    reader.add(run.folder, "");
  }
  return reader.take();
}

std::optional<ScoreDifference> paired_difference(const TaskScore& score, const TaskScore& base) {
  if (score.settings != base.settings || score.metric != base.metric ||
      score.filter != base.filter || score.parts.size() != base.parts.size()) {
    return std::nullopt;
  }
  double total = 0;
  double all = 0;
  double variance = 0;  // of the total
  for (std::size_t i = 0; i < score.parts.size(); ++i) {
    const Documents own = documents_of(score.parts[i], score);
    const Documents others = documents_of(base.parts[i], base);
    if (own.empty() || others.empty()) {
      return ScoreDifference{score.value - base.value, std::nan("")};
    }
    std::vector<double> differences;
    for (const auto& [place, document] : own) {
      const auto other = others.find(place);
      if (own.size() != others.size() || other == others.end() ||
          other->second.first != document.first) {
        return std::nullopt;
      }
      differences.push_back(document.second - other->second.second);
    }
    const auto count = static_cast<double>(differences.size());
    const MeanError mean = mean_error(differences);
    total += count * mean.mean;
    all += count;
    variance += count * mean.error * (count * mean.error);
  }
  // Only means over documents have this error.
  const double value = score.value - base.value;
  const bool is_mean = std::abs(total / all - value) < 1e-6;
  return ScoreDifference{value, is_mean ? std::sqrt(variance) / all : std::nan("")};
}

}  // namespace lmpo
