#include "base/machine_facts.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"

namespace lmpo::machine_facts_test {
namespace {

using ProcValue = FolderTest;

TEST_F(ProcValue, IsThatOfTheFirstLineWithTheKey) {
  const fs::path file = folder_ / "cpuinfo";
  write_file_atomically(file, "flags\nmodel name\t: A: B\nmodel name : C\nempty:\n");
  const auto value = [&](std::string_view key) { return proc_value(file.c_str(), key); };
  EXPECT_EQ(value("model name"), "A: B");
  EXPECT_EQ(value("empty"), "");
  EXPECT_EQ(value("flags"), "unknown");
  EXPECT_EQ(value("none"), "unknown");
  EXPECT_EQ(proc_value((folder_ / "absent").c_str(), "model name"), "unknown");
  EXPECT_THAT(proc_value("/proc/meminfo", "MemTotal"), ::testing::EndsWith(" kB"));
}

}  // namespace
}  // namespace lmpo::machine_facts_test
