#include "base/machine_memory.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace lmpo {
namespace {

constexpr std::size_t kUnknown = std::numeric_limits<std::size_t>::max();

// The kB after "name:" in a file such as /proc/meminfo.
std::optional<std::size_t> kilobytes(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ':') {
      std::size_t value = 0;
      const std::size_t digit = line.find_first_of("0123456789");
      if (digit != std::string::npos) {
        std::from_chars(line.data() + digit, line.data() + line.size(), value);
        return value * 1024;
      }
    }
  }
  return std::nullopt;
}

// A file that holds one number; none where it says "max" or is not there.
std::optional<std::size_t> number_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::size_t value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

// Under the limit of the control group (version 2, then 1) that containers show at the root.
std::size_t left_in_container() {
  const std::filesystem::path root = "/sys/fs/cgroup";
  const auto left = [](std::optional<std::size_t> limit, std::optional<std::size_t> used) {
    return limit && used ? *limit - std::min(*limit, *used) : kUnknown;
  };
  return std::min(left(number_in(root / "memory.max"), number_in(root / "memory.current")),
                  left(number_in(root / "memory/memory.limit_in_bytes"),
                       number_in(root / "memory/memory.usage_in_bytes")));
}

}  // namespace

std::size_t resident_memory() {
  return kilobytes("/proc/self/status", "VmRSS").value_or(0);
}

std::size_t peak_resident_memory() {
  return kilobytes("/proc/self/status", "VmHWM").value_or(0);
}

std::size_t available_memory() {
  return std::min(kilobytes("/proc/meminfo", "MemAvailable").value_or(kUnknown),
                  left_in_container());
}

}  // namespace lmpo
