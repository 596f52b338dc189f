#include "base/machine_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/control_group.h"

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

}  // namespace

std::size_t resident_memory() {
  return kilobytes("/proc/self/status", "VmRSS").value_or(0);
}

std::size_t peak_resident_memory() {
  return kilobytes("/proc/self/status", "VmHWM").value_or(0);
}

std::size_t available_memory() {
  const auto group = tightest_group();
  return std::min(kilobytes("/proc/meminfo", "MemAvailable").value_or(kUnknown),
                  group ? group->left : kUnknown);
}

}  // namespace lmpo
