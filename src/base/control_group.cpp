#include "base/control_group.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace lmpo {
namespace {

// Version 1 writes "no limit" as the largest number of whole pages.
constexpr std::size_t kNoLimit = std::size_t{1} << 60;

// File names of the two versions. A limit file has one number, or "max".
struct Version {
  std::vector<const char*> limits;
  const char* used;
  std::vector<std::string_view> reclaimable;  // lines of memory.stat, child groups included
};
const Version kVersion2 = {{"memory.max", "memory.high"},
                           "memory.current",
                           {"inactive_file", "active_file", "slab_reclaimable"}};
const Version kVersion1 = {{"memory.limit_in_bytes"},
                           "memory.usage_in_bytes",
                           {"total_inactive_file", "total_active_file"}};

std::optional<std::size_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::size_t value = 0;
  return file >> value && value < kNoLimit ? std::optional(value) : std::nullopt;
}

std::size_t reclaimable_in(const fs::path& group, const Version& version) {
  std::ifstream file(group / "memory.stat");
  std::size_t total = 0;
  std::string name;
  for (std::size_t value = 0; file >> name >> value;) {
    total += std::ranges::find(version.reclaimable, name) != version.reclaimable.end() ? value : 0;
  }
  return total;
}

std::optional<GroupMemory> memory_of(const fs::path& group, const Version& version) {
  std::optional<std::size_t> limit;
  for (const char* file : version.limits) {
    if (const auto number = number_in(group / file)) {
      limit = std::min(limit.value_or(*number), *number);
    }
  }
  const auto used = number_in(group / version.used);
  if (!limit || !used) {
    return std::nullopt;
  }
  const std::size_t taken = *used - std::min(*used, reclaimable_in(group, version));
  return GroupMemory{group, *limit, *limit - std::min(*limit, taken)};
}

// A mount point of the groups, and the group that is its root.
struct Mount {
  fs::path root;
  fs::path point;
};

// "36 35 98:0 ROOT POINT options ... - TYPE source OPTIONS"
std::optional<Mount> find_mount(const fs::path& process, bool version2) {
  std::ifstream file(process / "mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos || !line.substr(dash + 3).starts_with("cgroup")) {
      continue;
    }
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string skipped;
    std::string root;
    std::string point;
    std::string type;
    std::string options;
    before >> skipped >> skipped >> skipped >> root >> point;
    after >> type >> skipped >> options;
    const bool has_memory = ("," + options + ",").find(",memory,") != std::string::npos;
    if (version2 ? type == "cgroup2" : type == "cgroup" && has_memory) {
      return Mount{root, point};
    }
  }
  return std::nullopt;
}

// "0::/PATH" of version 2, "4:memory:/PATH" of version 1.
std::optional<fs::path> group_path(const fs::path& process, bool version2) {
  std::ifstream file(process / "cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (version2 ? line.starts_with("0::") : controllers.find(",memory,") != std::string::npos) {
      return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

// The process's group and its parents, as far as they are mounted; the mount itself last.
std::vector<fs::path> groups_of(const fs::path& process, bool version2) {
  const auto mount = find_mount(process, version2);
  const auto path = group_path(process, version2);
  if (!mount || !path) {
    return {};
  }
  fs::path inside = path->lexically_relative(mount->root);
  if (inside.empty() || *inside.begin() == "..") {
    inside = ".";  // the group is outside the mount
  }
  std::vector<fs::path> groups;
  for (fs::path group = (mount->point / inside).lexically_normal(); group != mount->point;
       group = group.parent_path()) {
    if (group.has_filename()) {
      groups.push_back(group);
    }
  }
  groups.push_back(mount->point);
  return groups;
}

}  // namespace

std::optional<GroupMemory> tightest_group(const fs::path& process) {
  std::optional<GroupMemory> tightest;
  for (const bool version2 : {true, false}) {
    for (const fs::path& group : groups_of(process, version2)) {
      const auto memory = memory_of(group, version2 ? kVersion2 : kVersion1);
      if (memory && (!tightest || memory->left < tightest->left)) {
        tightest = memory;
      }
    }
  }
  return tightest;
}

}  // namespace lmpo
