// A command as a process of its own.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace lmpo {

struct ChildCommand {
  fs::path program;
  std::vector<std::string> words;  // its own name first
  fs::path folder;                 // where it runs
  fs::path output;                 // a file; its output is appended
};

// Runs until it ends or the object is destroyed. A command of lmpo never outlives this program,
// however this one ends.
class ChildProcess {
 public:
  // MachineError, which says why, where it cannot be started.
  explicit ChildProcess(const ChildCommand& command);
  ~ChildProcess();  // kills it where it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Whether it ended with exit code 0; none while it runs. False too where that cannot be known.
  std::optional<bool> ended_well();

 private:
  pid_t process_ = -1;
};

// Called first in main: a program that a ChildProcess started ends with the program that started it.
void end_with_parent();

}  // namespace lmpo
