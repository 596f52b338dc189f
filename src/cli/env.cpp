// lmpo env: what a bug report should say.
#include <sys/utsname.h>

#include <fstream>

#include "base/control_group.h"
#include "base/readable.h"
#include "base/threads.h"
#include "cli/commands.h"
#include "ops/device.h"
#include "recipe/option_set.h"

namespace lmpo {
namespace {

// The value of "key : value" in a file of /proc.
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

struct NoOptions {};

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

void declare(OptionSet& set, NoOptions& /*none*/) {
  set.section("Examples", "  lmpo env\n");
}

int run(const NoOptions& /*none*/) {
  utsname system{};
  uname(&system);
  const auto line = [](const char* name, const std::string& value) {
    fmt::print("{:<12} {}\n", name, value);
  };
  line("lmpo", LMPO_VERSION);
  line("compiler", __VERSION__);
  line("system", fmt::format("{} {} {}", system.sysname, system.release, system.machine));
  line("processor", proc_value("/proc/cpuinfo", "model name"));
  line("vector code", vector_units());
  line("threads", fmt::format("{}", available_threads()));
  line("memory", fmt::format("{} total, {} available", proc_value("/proc/meminfo", "MemTotal"),
                             proc_value("/proc/meminfo", "MemAvailable")));
  if (const auto group = tightest_group()) {
    line("",
         fmt::format("{} left of the control group's limit of {} ({})", readable_bytes(group->left),
                     readable_bytes(group->limit), group->group.string()));
  }
  std::string devices = "cpu";
  for (const std::string& gpu : cuda_devices()) {
    devices += ", " + gpu;
  }
  line("devices", devices);
  const std::string trouble = cuda_trouble();
  line("cuda", !has_cuda()       ? "not built in"
               : trouble.empty() ? "built in"
                                 : "built in; " + trouble);
  return 0;
}

}  // namespace

constinit const CommandCode kEnvCommand =
    command<declare, run>("Prints facts about this program and this machine for bug reports.");

}  // namespace lmpo
