// The pages about the tasks of lmpo eval, of help and of the documentation.
#pragma once

#include <string>
#include <vector>

#include "evaluate/task.h"
#include "recipe/pages/help_text.h"

namespace lmpo {

// All groups, and all tasks that are in none, a line each; `lmpo help` has them as topics by these
// names.
std::string tasks_page(const HelpStyle& style);
std::vector<std::string> task_names();
// One task or group; UserError that names the known ones.
std::string task_page(const std::string& name, const HelpStyle& style);
// docs/tasks.md.
std::string tasks_markdown();

}  // namespace lmpo
