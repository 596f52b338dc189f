// The table of tasks. A new one is a file of tasks/ and its name in registry.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "evaluate/task.h"

namespace lmpo {

// Whose definitions are meant.
enum class Harness : std::uint8_t {
  current,     // version 0.4.13
  open_llm_v1  // June 2023 (commit b281b09), which the first Open LLM Leaderboard ran
};
constexpr std::string_view kOpenLlmV1 = "open_llm_v1";

std::span<const TaskInfo> tasks(Harness harness = Harness::current);
std::span<const GroupInfo> groups(Harness harness = Harness::current);

// Tasks that were asked for by name, alone or as members of groups: each once, in order, and the
// groups, those inside before those around them.
struct ChosenTasks {
  std::vector<const TaskInfo*> tasks;
  std::vector<const GroupInfo*> groups;
};
// UserError that names the known ones.
ChosenTasks choose_tasks(const std::vector<std::string>& names, Harness harness);
// The tasks below a group, in order.
std::vector<const TaskInfo*> tasks_of(const GroupInfo& group, Harness harness);

// The definitions of tasks/ that Harness::open_llm_v1 has.
TaskInfo gsm8k_of_2023();
TaskInfo truthfulqa_of_2023();

}  // namespace lmpo
