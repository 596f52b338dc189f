// Memory limits of control groups (containers, Slurm, systemd).
#pragma once

#include <cstddef>
#include <optional>

#include "base/file.h"

namespace lmpo {

struct GroupMemory {
  fs::path group;         // the folder of the group
  std::size_t limit = 0;  // bytes
  std::size_t left = 0;   // bytes below the limit; caches that the system can reclaim count as free
};

// Among the process's group and all its parents, the one with the least memory left; versions 1 and
// 2 of control groups. None if no group has a limit. `process` is a folder like /proc/self.
std::optional<GroupMemory> tightest_group(const fs::path& process = "/proc/self");

}  // namespace lmpo
