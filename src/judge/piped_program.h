// A command of the shell that reads lines and writes lines.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

namespace lmpo {

// Gives the command `input` as its standard input and calls `take` with each line of its standard output
// as it comes; its standard error is this program's. Returns its exit status, or 128 and the number of
// the signal that ended it. MachineError where it cannot be started. An exception of `take` ends the
// program and goes on.
int run_piped(const std::string& command, std::string_view input,
              const std::function<void(std::string_view line)>& take);

}  // namespace lmpo
