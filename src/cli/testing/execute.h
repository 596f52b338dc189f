// How tests start the program. For tests only.
#pragma once

#include "cli/testing/program.h"

namespace lmpo {

// Of a child process: becomes the program in these surroundings, where its standard streams are
// already, or ends with 127.
[[noreturn]] void execute_program(const Words& arguments, const Surroundings& surroundings);

}  // namespace lmpo
