// BIG-Bench Hard: Suzgun et al. (arXiv 2210.09261). Descriptions, choices and examples are in
// bbh.json, which tools/oracle/bbh_examples.py writes.
#include "base/error.h"
#include "evaluate/judge.h"
#include "evaluate/registry.h"
#include "evaluate/tasks/bbh_json.h"
#include "jinja/text_functions.h"

namespace lmpo {
namespace {

TaskInfo bbh(const ordered_json& own) {
  const auto name = own.at("name").get<std::string>();
  const auto ask = [choices = own.at("choices").get<std::vector<std::string>>()](
                       const Document& document) {
    const std::string target = document.text("target");
    Asked asked =
        asked_choices("Q: " + document.text("input") + "\nA:", choices, index_of(choices, target));
    asked.answer = target;
    asked.target = target;
    return asked;
  };
  return {.name = "leaderboard_bbh_" + name,
          .summary = "hard for models once: " + jinja::replace(name, "_", " ", -1),
          .data = {.dataset = "SaylorTwift/bbh",
                   .config = name,
                   .split = "test",
                   .columns = {"input", "target"}},
          .description = own.at("description").get<std::string>(),
          .examples = 3,
          .first_examples = true,
          .own_examples = own.at("examples").get<std::vector<ordered_json>>(),
          .ask = ask,
          .metrics = {{"acc_norm"}},
          .judge = judge_choices};
}

}  // namespace

std::vector<TaskInfo> bbh_tasks() {
  std::vector<TaskInfo> all;
  for (const ordered_json& own : parse_ordered_json(kBbhJson, "bbh.json")) {
    all.push_back(bbh(own));
  }
  return all;
}

std::vector<GroupInfo> bbh_groups() {
  GroupInfo group{.name = "leaderboard_bbh",
                  .summary = "all 24 tasks of BIG-Bench Hard",
                  .members = {},
                  .metrics = {"acc_norm"}};
  for (const TaskInfo& task : bbh_tasks()) {
    group.members.push_back(task.name);
  }
  return {std::move(group)};
}

}  // namespace lmpo
