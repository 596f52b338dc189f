// What the output folder of a training run holds, for `lmpo inspect FOLDER`.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "inspect/terminal.h"
#include "report/run.h"

namespace lmpo {

// What to do with the run next, most likely first: resume, look at it, use it.
std::vector<std::string> next_steps(const Run& run);

// The command that started the run, from the options it recorded, followed by `more`. Empty if it
// recorded none.
std::string command_of(const Run& run, const std::string& more);

ordered_json to_json(const Run& run);
void print(const Run& run, TerminalText& out);

}  // namespace lmpo
