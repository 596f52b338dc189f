// What the output folder of a training tells: `lmpo inspect FOLDER`.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "inspect/terminal.h"
#include "report/run.h"

namespace lmpo {

// What can be done with a run as it stands, most likely first: go on with it, look at it, use it.
std::vector<std::string> next_steps(const Run& run);

// The command that made the run, from the options it recorded, with `more` at its end; empty where
// it recorded none.
std::string command_of(const Run& run, const std::string& more);

ordered_json to_json(const Run& run);
void print(const Run& run, TerminalText& out);

}  // namespace lmpo
