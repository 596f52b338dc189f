#include "evaluate/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/names.h"

namespace lmpo {

// Each is a file of tasks/.
#define LMPO_TASK_FILES(_) \
  _(arc)                   \
  _(truthfulqa)            \
  _(winogrande)            \
  _(gsm8k)                 \
  _(common_sense)          \
  _(mmlu)                  \
  _(bbh)                   \
  _(gpqa)                  \
  _(musr)                  \
  _(math)                  \
  _(ifeval)                \
  _(perplexity)

// Those of these files that are reported together.
#define LMPO_GROUP_FILES(_) _(mmlu) _(bbh) _(gpqa) _(musr) _(math)

#define LMPO_DECLARE(name) std::vector<TaskInfo> name##_tasks();
LMPO_TASK_FILES(LMPO_DECLARE)
#undef LMPO_DECLARE
#define LMPO_DECLARE(name) std::vector<GroupInfo> name##_groups();
LMPO_GROUP_FILES(LMPO_DECLARE)
#undef LMPO_DECLARE

namespace {

template <typename Info>
const Info* find_named(std::span<const Info> all, std::string_view name) {
  const auto found = std::ranges::find_if(all, [&](const Info& info) { return info.name == name; });
  return found == all.end() ? nullptr : &*found;
}

const TaskInfo& task_named(std::span<const TaskInfo> all, std::string_view name) {
  const TaskInfo* task = find_named(all, name);
  LMPO_CHECK(task != nullptr);
  return *task;
}

std::vector<TaskInfo> current_tasks() {
  std::vector<TaskInfo> all;
#define LMPO_ADD(name) std::ranges::move(name##_tasks(), std::back_inserter(all));
  LMPO_TASK_FILES(LMPO_ADD)
#undef LMPO_ADD
  return all;
}

std::vector<GroupInfo> current_groups() {
  std::vector<GroupInfo> all;
#define LMPO_ADD(name) std::ranges::move(name##_groups(), std::back_inserter(all));
  LMPO_GROUP_FILES(LMPO_ADD)
#undef LMPO_ADD
  return all;
}

// Its documents, prompts and examples are mostly today's; what differs is said in tasks/.
std::vector<TaskInfo> tasks_of_2023(std::span<const TaskInfo> current) {
  TaskInfo arc = task_named(current, "arc_challenge");
  TaskInfo winogrande = task_named(current, "winogrande");
  arc.examples = 25;
  winogrande.examples = 5;
  arc.version = winogrande.version = "0";
  winogrande.draws_one_more = false;
  return {std::move(arc), truthfulqa_of_2023(), std::move(winogrande), gsm8k_of_2023()};
}

void add(ChosenTasks& chosen, const TaskInfo& task) {
  if (std::ranges::find(chosen.tasks, &task) == chosen.tasks.end()) {
    chosen.tasks.push_back(&task);
  }
}

void add(ChosenTasks& chosen, std::string_view name, Harness harness) {
  if (const TaskInfo* task = find_named(tasks(harness), name)) {
    add(chosen, *task);
    return;
  }
  const GroupInfo* group = find_named(groups(harness), name);
  LMPO_CHECK(group != nullptr);
  for (const std::string& member : group->members) {
    add(chosen, member, harness);
  }
  if (std::ranges::find(chosen.groups, group) == chosen.groups.end()) {
    chosen.groups.push_back(group);
  }
}

}  // namespace

std::span<const TaskInfo> tasks(Harness harness) {
  static const std::vector<TaskInfo> current = current_tasks();
  static const std::vector<TaskInfo> of_2023 = tasks_of_2023(current);
  return harness == Harness::current ? current : of_2023;
}

std::span<const GroupInfo> groups(Harness harness) {
  static const std::vector<GroupInfo> current = current_groups();
  return harness == Harness::current ? std::span(current) : std::span<const GroupInfo>();
}

ChosenTasks choose_tasks(const std::vector<std::string>& names, Harness harness) {
  std::vector<std::string> known;
  for (const TaskInfo& task : tasks(harness)) {
    known.push_back(task.name);
  }
  for (const GroupInfo& group : groups(harness)) {
    known.push_back(group.name);
  }
  ChosenTasks chosen;
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) == known.end()) {
      user_error("there is no task '{}'{}; lmpo help tasks lists them", name,
                 suggestion(name, known));
    }
    add(chosen, name, harness);
  }
  return chosen;
}

std::vector<const TaskInfo*> tasks_of(const GroupInfo& group, Harness harness) {
  ChosenTasks chosen;
  add(chosen, group.name, harness);
  return chosen.tasks;
}

}  // namespace lmpo
