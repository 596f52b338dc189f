// Runs a command as a process.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"

namespace lmpo {

struct ChildCommand {
  fs::path program;
  std::vector<std::string> words;  // argv, with its own name first
  fs::path folder;                 // its working folder
  fs::path output;                 // a file that its output is appended to
};

// Runs until it ends or the object is destroyed. A command of lmpo never outlives this program,
// however this program ends.
class ChildProcess {
 public:
  // MachineError with the reason if it cannot be started.
  explicit ChildProcess(const ChildCommand& command);
  ~ChildProcess();  // kills it if it still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Nothing while it runs, then whether it exited with 0. False if that cannot be known.
  std::optional<bool> ended_well();

 private:
  pid_t process_ = -1;
};

// Call first in main: a program that a ChildProcess started then ends together with its parent.
void end_with_parent();

}  // namespace lmpo
