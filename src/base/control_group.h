// Memory that the control groups of a process leave it (containers, Slurm, systemd).
#pragma once

#include <cstddef>
#include <optional>

#include "base/file.h"

namespace lmpo {

struct GroupMemory {
  fs::path group;         // the folder of the group that leaves least
  std::size_t limit = 0;  // bytes
  std::size_t left = 0;   // below the limit, with what the system can take back from its caches
};

// Of the process's own group and all those around it, the one that leaves least; versions 1 and 2
// of control groups. None where no group has a limit. `process` is a folder like /proc/self.
std::optional<GroupMemory> tightest_group(const fs::path& process = "/proc/self");

}  // namespace lmpo
