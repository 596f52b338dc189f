#include "base/machine_facts.h"

#include <fstream>
#include <utility>

namespace lmpo {

std::string proc_value(const char* file, std::string_view key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with(key) && colon != std::string::npos) {
      const std::size_t first = line.find_first_not_of(" \t", colon + 1);
      return first == std::string::npos ? "" : line.substr(first);
    }
  }
  return "unknown";
}

std::string vector_units() {
  std::string units;
  for (const auto& [name, present] :
       {std::pair("avx2", __builtin_cpu_supports("avx2")),
        std::pair("avx512f", __builtin_cpu_supports("avx512f")),
        std::pair("avx512bf16", __builtin_cpu_supports("avx512bf16"))}) {
    units += present ? std::string(units.empty() ? "" : " ") + name : "";
  }
  return units.empty() ? "none beyond x86-64-v2" : units;
}

}  // namespace lmpo
