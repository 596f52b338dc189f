#include "cli/task_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "evaluate/registry.h"

namespace lmpo {
namespace {

std::string examples_text(const TaskInfo& task) {
  return task.fixed_examples ? fmt::format("{}, always", task.examples)
                             : std::to_string(task.examples);
}

std::string metrics_text(const TaskInfo& task) {
  std::vector<std::string> names;
  for (const MetricInfo& metric : task.metrics) {
    names.push_back(metric.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string task_data_text(const TaskData& data) {
  if (data.dataset.empty()) {
    return "a file of yours: --data FILE";
  }
  return fmt::format("{}{}, {}", data.dataset,
                     data.config.empty() ? "" : fmt::format(" ({})", data.config), data.split);
}

std::string kind_text(const TaskInfo& task) {
  if (task.whole_text) {
    return "the likelihood of a text";
  }
  return task.decoding ? "an answer that the model writes" : "the likelihoods of choices";
}

std::string group_page(const GroupInfo& group, const HelpStyle& style) {
  HelpText page(style);
  page.paragraph(fmt::format("{}: {}", group.name, group.summary));
  page.heading("Members, weighted by their documents");
  for (const std::string& member : group.members) {
    page.verbatim("  " + member + "\n");
  }
  return page.text();
}

std::string table_row(const TaskInfo& task) {
  return fmt::format("| `{}` | {} | {} | {} | {} |\n", task.name, task.summary,
                     task_data_text(task.data), examples_text(task), metrics_text(task));
}

// The tasks that are in no group.
std::vector<const TaskInfo*> lone_tasks() {
  std::vector<const TaskInfo*> lone;
  for (const TaskInfo& task : tasks()) {
    const bool grouped = std::ranges::any_of(groups(), [&](const GroupInfo& group) {
      return std::ranges::find(group.members, task.name) != group.members.end();
    });
    if (!grouped) {
      lone.push_back(&task);
    }
  }
  return lone;
}

constexpr std::string_view kTableHead =
    "| task | what | data | examples | metrics |\n|---|---|---|---|---|\n";

}  // namespace

std::string tasks_page(const HelpStyle& style) {
  HelpText page(style);
  page.paragraph("Tasks: lmpo eval --tasks NAME,...");
  for (const TaskInfo* task : lone_tasks()) {
    page.entry(task->name, task->summary);
  }
  page.heading("Groups, whose tasks may be asked alone, too");
  for (const GroupInfo& group : groups()) {
    page.entry(group.name, group.summary);
  }
  page.heading("With --like open_llm_v1");
  for (const TaskInfo& task : tasks(Harness::open_llm_v1)) {
    page.entry(task.name, task.summary);
  }
  page.heading("More");
  page.paragraph(
      "lmpo help NAME shows a task's data, examples and metrics, or the tasks of a group.");
  return page.text();
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const TaskInfo* task : lone_tasks()) {
    names.push_back(task->name);
  }
  for (const GroupInfo& group : groups()) {
    names.push_back(group.name);
  }
  return names;
}

std::string task_page(const std::string& name, const HelpStyle& style) {
  const auto group = std::ranges::find(groups(), name, &GroupInfo::name);
  if (group != groups().end()) {
    return group_page(*group, style);
  }
  const TaskInfo& task = *choose_tasks({name}, Harness::current).tasks.front();
  HelpText page(style);
  page.paragraph(fmt::format("{}: {}", task.name, task.summary));
  page.heading("What it is");
  page.entry("asked", kind_text(task), {}, 14);
  page.entry("data", task_data_text(task.data), {}, 14);
  page.entry("examples", examples_text(task), {}, 14);
  page.entry("metrics", metrics_text(task), {}, 14);
  page.entry("version", task.version, {}, 14);
  page.heading("Examples");
  page.verbatim(fmt::format("  lmpo eval --model DIR --tasks {} --data DATA\n", task.name));
  return page.text();
}

std::string tasks_markdown() {
  std::string text(kTableHead);
  for (const TaskInfo& task : tasks()) {
    text += table_row(task);
  }
  if (!groups().empty()) {
    text += "\n## Groups\n\n| group | what | members | metrics |\n|---|---|---|---|\n";
    for (const GroupInfo& group : groups()) {
      text += fmt::format("| `{}` | {} | {} | {} |\n", group.name, group.summary,
                          fmt::join(group.members, ", "), fmt::join(group.metrics, ", "));
    }
  }
  text += "\n## With `--like open_llm_v1`\n\n";
  text += kTableHead;
  for (const TaskInfo& task : tasks(Harness::open_llm_v1)) {
    text += table_row(task);
  }
  return text;
}

}  // namespace lmpo
