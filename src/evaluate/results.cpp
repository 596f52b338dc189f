#include "evaluate/results.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/sha256.h"
#include "evaluate/judge.h"
#include "evaluate/samples.h"

namespace lmpo {
namespace {

// A number where it is one: the harness has 1.0, and "N/A".
ordered_json version_json(const std::string& version) {
  ordered_json value = ordered_json::parse(version, nullptr, false);
  return value.is_number() ? value : ordered_json(version);
}

void add_metrics(ordered_json& to, const std::vector<MetricResult>& metrics) {
  for (const MetricResult& metric : metrics) {
    to[fmt::format("{},{}", metric.metric, metric.filter)] = metric.value;
    to[fmt::format("{}_stderr,{}", metric.metric, metric.filter)] =
        metric.stderr_ ? ordered_json(*metric.stderr_) : ordered_json("N/A");
  }
}

ordered_json higher_is_better(const std::vector<MetricResult>& metrics) {
  ordered_json result = ordered_json::object();
  for (const MetricResult& metric : metrics) {
    result[metric.metric] = metric.higher_is_better;
  }
  return result;
}

ordered_json numbers_of(const std::string& name, std::int64_t documents,
                        const std::vector<MetricResult>& metrics) {
  ordered_json numbers = {{"name", name}, {"alias", name}, {"sample_len", documents}};
  add_metrics(numbers, metrics);
  return numbers;
}

ordered_json config_of(const TaskResult& result) {
  const TaskInfo& task = *result.task;
  ordered_json config = {{"task", task.name},
                         {"dataset_path", task.data.dataset},
                         {"dataset_name", task.data.config},
                         {"test_split", task.data.split},
                         {"fewshot_split", task.data.example_split},
                         {"description", task.description},
                         {"target_delimiter", " "},
                         {"fewshot_delimiter", "\n\n"},
                         {"num_fewshot", result.examples}};
  ordered_json metrics = ordered_json::array();
  for (const MetricInfo& metric : task.metrics) {
    metrics.push_back({{"metric", metric.name}, {"higher_is_better", metric.higher_is_better}});
  }
  config["metric_list"] = std::move(metrics);
  config["metadata"] = {{"version", version_json(task.version)}};
  return config;
}

// A hash of all documents, prompts and targets.
std::string task_hash(const TaskResult& task, const PromptStyle& style) {
  std::string hashes;
  for (std::size_t i = 0; i < task.documents.size(); ++i) {
    for (std::size_t filter = 0; filter < task.documents[i].judgements.size(); ++filter) {
      const ordered_json sample = sample_of(task, i, filter, style);
      for (const char* key : {"doc_hash", "prompt_hash", "target_hash"}) {
        hashes += sample[key].get<std::string>();
      }
    }
  }
  return sha256(hashes);
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json(nullptr) : ordered_json(text);
}

std::string sanitized(const std::string& name) {
  std::string result;
  for (const char c : name) {
    const bool bad = std::string_view("\"<>:/|\\?*[]").find(c) != std::string_view::npos;
    if (!bad) {
      result += c;
    } else if (!result.ends_with("__")) {
      result += "__";
    }
  }
  return result;
}

void add_facts(ordered_json& all, const EvaluationOptions& options, const EvaluationFacts& facts) {
  all["config"] = {
      {"model", "lmpo"},
      {"model_args", "pretrained=" + facts.model.string()},
      {"model_num_parameters", facts.parameters},
      {"model_dtype", facts.dtype},
      {"batch_size", options.batch_size},
      {"device", facts.device},
      {"limit", options.limit == 0 ? ordered_json(nullptr) : ordered_json(options.limit)},
      {"fewshot_seed", options.example_seed}};
  all["git_hash"] = nullptr;
  all["lmpo_version"] = facts.version;
  all["date"] = facts.start;
  all["model_source"] = "lmpo";
  all["model_name"] = facts.model.string();
  all["model_name_sanitized"] = sanitized(facts.model.string());
  const std::string& system = options.style.system_instruction;
  all["system_instruction"] = text_or_null(system);
  all["system_instruction_sha"] = text_or_null(system.empty() ? "" : sha256(system));
  all["fewshot_as_multiturn"] = options.style.chat_template && options.style.examples_as_turns;
  all["chat_template"] = facts.chat_template ? ordered_json(*facts.chat_template) : nullptr;
  all["chat_template_sha"] =
      facts.chat_template ? ordered_json(sha256(*facts.chat_template)) : nullptr;
  all["total_evaluation_time_seconds"] = fmt::format("{}", facts.seconds);
}

// Groups before their members, each once.
struct TableRow {
  std::string name;
  std::string version;
  std::string shots;
  const std::vector<MetricResult>* metrics;
};

std::vector<TableRow> table_rows(const EvaluationResult& result) {
  std::vector<TableRow> rows;
  for (auto group = result.groups.rbegin(); group != result.groups.rend(); ++group) {
    rows.push_back({group->group->name, group->group->version, "", &group->metrics});
  }
  for (const TaskResult& task : result.tasks) {
    const bool inside = std::ranges::any_of(result.groups, [&](const GroupResult& group) {
      return std::ranges::find(group.tasks, task.task) != group.tasks.end();
    });
    rows.push_back({(inside ? " - " : "") + task.task->name, task.task->version,
                    std::to_string(task.examples), &task.metrics});
  }
  return rows;
}

}  // namespace

ordered_json results_json(const EvaluationResult& result, const EvaluationOptions& options,
                          const EvaluationFacts& facts) {
  ordered_json all = {{"results", ordered_json::object()}};
  for (const TaskResult& task : result.tasks) {
    const std::string& name = task.task->name;
    const std::int64_t count = std::ssize(task.documents);
    all["results"][name] = numbers_of(name, count, task.metrics);
    all["configs"][name] = config_of(task);
    all["versions"][name] = version_json(task.task->version);
    all["n-shot"][name] = task.examples;
    all["higher_is_better"][name] = higher_is_better(task.metrics);
    all["n-samples"][name] = {{"original", task.available}, {"effective", count}};
    all["task_hashes"][name] = task_hash(task, options.style);
  }
  all["group_subtasks"] = ordered_json::object();
  for (const GroupResult& group : result.groups) {
    const std::string& name = group.group->name;
    all["results"][name] = numbers_of(name, group.documents, group.metrics);
    all["groups"][name] = all["results"][name];
    all["versions"][name] = version_json(group.group->version);
    all["higher_is_better"][name] = higher_is_better(group.metrics);
    all["group_subtasks"][name] = group.group->members;
  }
  add_facts(all, options, facts);
  return all;
}

std::string sample_lines(const TaskResult& task, const PromptStyle& style) {
  std::string lines;
  for (std::size_t filter = 0; filter < task.documents.front().judgements.size(); ++filter) {
    for (std::size_t i = 0; i < task.documents.size(); ++i) {
      lines += json_line(sample_of(task, i, filter, style)) + "\n";
    }
  }
  return lines;
}

std::string results_table(const EvaluationResult& result) {
  std::vector<std::vector<std::string>> cells = {
      {"Tasks", "Version", "Filter", "n-shot", "Metric", "", "Value", "", "Stderr"}};
  for (const TableRow& row : table_rows(result)) {
    bool first = true;
    for (const MetricResult& metric : *row.metrics) {
      cells.push_back({first ? row.name : "", first ? row.version : "", metric.filter, row.shots,
                       metric.metric, metric.higher_is_better ? "↑" : "↓",
                       fmt::format("{:.4f}", metric.value), "±",
                       metric.stderr_ ? fmt::format("{:.4f}", *metric.stderr_) : "N/A"});
      first = false;
    }
  }
  std::vector<std::size_t> widths(cells.front().size(), 1);
  for (const auto& row : cells) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], static_cast<std::size_t>(characters(row[i])));
    }
  }
  std::string table;
  for (std::size_t line = 0; line < cells.size(); ++line) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      table += fmt::format("|{:<{}}", cells[line][i], widths[i]);
    }
    table += "|\n";
    for (std::size_t i = 0; line == 0 && i < widths.size(); ++i) {
      table += "|" + std::string(widths[i], '-');
    }
    table += line == 0 ? "|\n" : "";
  }
  return table;
}

fs::path results_folder(const fs::path& output, const fs::path& model) {
  return output / sanitized(model.string());
}

void write_results(const fs::path& folder, const EvaluationResult& result,
                   const EvaluationOptions& options, const EvaluationFacts& facts,
                   bool with_samples) {
  const double end = facts.start + facts.seconds;
  const auto whole = static_cast<std::time_t>(end);
  const std::string date =
      fmt::format("{:%Y-%m-%dT%H-%M-%S}.{:06}", fmt::localtime(whole),
                  static_cast<std::int64_t>((end - static_cast<double>(whole)) * 1e6));
  for (const TaskResult& task : result.tasks) {
    if (with_samples) {
      write_file_atomically(folder / fmt::format("samples_{}_{}.jsonl", task.task->name, date),
                            sample_lines(task, options.style));
    }
  }
  write_file_atomically(folder / fmt::format("results_{}.json", date),
                        results_json(result, options, facts).dump(2) + "\n");
}

}  // namespace lmpo
