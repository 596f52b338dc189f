// lmpo env: what a bug report should say.
#include <sys/utsname.h>

#include "base/control_group.h"
#include "base/machine_facts.h"
#include "base/readable.h"
#include "base/threads.h"
#include "cli/commands.h"
#include "ops/device.h"
#include "recipe/option_set.h"

namespace lmpo {
namespace {

struct EnvOptions {};

void declare(OptionSet& set, EnvOptions& /*none*/) {
  set.section("Examples", "  lmpo env\n");
}

int run(const EnvOptions& /*none*/) {
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
    command<EnvOptions>("Prints facts about this program and this machine for bug reports.");

}  // namespace lmpo
