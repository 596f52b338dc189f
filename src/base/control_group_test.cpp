#include "base/control_group.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/test_folder.h"

namespace lmpo::control_group_test {
namespace {

constexpr std::size_t kGiga = 1'000'000'000;

// A process's files in /proc, and the groups they name, in a folder.
class ControlGroups : public FolderTest {
 protected:
  void put(const fs::path& file, const std::string& text) const {
    fs::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << text;
  }
  // Of version 2, mounted at "two", or of version 1, at "one".
  void group2(const fs::path& path, const std::string& limit, const std::string& used,
              const std::string& statistics = "") const {
    put("two" / path / "memory.max", limit + "\n");
    put("two" / path / "memory.current", used + "\n");
    put("two" / path / "memory.stat", statistics);
  }
  void group1(const fs::path& path, const std::string& limit, const std::string& used,
              const std::string& statistics = "") const {
    put("one" / path / "memory.limit_in_bytes", limit + "\n");
    put("one" / path / "memory.usage_in_bytes", used + "\n");
    put("one" / path / "memory.stat", statistics);
  }
  void mounts(const std::string& root2 = "/", const std::string& root1 = "/") const {
    put("self/mountinfo",
        fmt::format("22 1 8:1 / / rw - ext4 /dev/sda rw\n"
                    "30 22 0:30 {2} {0}/two rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
                    "31 22 0:31 / {0}/cpu rw - cgroup cgroup rw,cpu\n"
                    "32 22 0:32 {1} {0}/one rw - cgroup cgroup rw,memory\n",
                    folder_.string(), root1, root2));
  }
  std::optional<GroupMemory> tightest() const { return tightest_group(folder_ / "self"); }
};

TEST_F(ControlGroups, TheSmallestLimitOnTheWayUpCounts) {
  mounts();
  put("self/cgroup", "0::/system.slice/slurmstepd/job_7/step_0/task_0\n");
  group2("system.slice", "max", "1000000000");
  group2("system.slice/slurmstepd/job_7", "4000000000", "1000000000");
  group2("system.slice/slurmstepd/job_7/step_0", "8000000000", "1000000000");
  group2("system.slice/slurmstepd/job_7/step_0/task_0", "max", "1000000000");
  ASSERT_TRUE(tightest());
  EXPECT_EQ(tightest()->left, 3 * kGiga);
  EXPECT_EQ(tightest()->limit, 4 * kGiga);
  EXPECT_EQ(tightest()->group.filename(), "job_7");
  // What others in a group around it use counts too.
  group2("system.slice", "10000000000", "9000000000");
  EXPECT_EQ(tightest()->left, kGiga);
}

TEST_F(ControlGroups, CachesCanBeTakenBack) {
  mounts();
  put("self/cgroup", "0::/job\n");
  group2("job", "4000000000", "3500000000",
         "anon 100\ninactive_file 2000000000\nactive_file 500000000\nslab_reclaimable 5\n");
  EXPECT_EQ(tightest()->left, 3 * kGiga + 5);
  put("two/job/memory.high", "2000000000\n");  // beyond it the system slows the process down
  EXPECT_EQ(tightest()->left, kGiga + 5);
}

TEST_F(ControlGroups, VersionOneIsSeenToo) {
  mounts();
  put("self/cgroup", "7:cpu,cpuacct:/other\n4:memory:/slurm/uid_1/job_7\n0::/\n");
  group1("", "9223372036854771712", "20000000000");
  group1("slurm/uid_1/job_7", "2000000000", "1500000000",
         "inactive_file 1\ntotal_inactive_file 500000000\n");
  EXPECT_EQ(tightest()->left, kGiga);
  EXPECT_EQ(tightest()->limit, 2 * kGiga);
}

TEST_F(ControlGroups, AContainerShowsItsOwnGroupAtTheRoot) {
  // The group's name is one of the machine, whose other groups are not shown.
  mounts("/", "/docker/abc");
  put("self/cgroup", "4:memory:/docker/abc\n");
  group1("", "3000000000", "1000000000");
  EXPECT_EQ(tightest()->left, 2 * kGiga);
  put("self/cgroup", "4:memory:/docker/abc/nested\n");
  group1("nested", "3000000000", "2000000000");
  EXPECT_EQ(tightest()->left, kGiga);
  put("self/cgroup", "4:memory:/somewhere/else\n");
  EXPECT_EQ(tightest()->left, 2 * kGiga);
}

TEST_F(ControlGroups, NoLimitIsNone) {
  EXPECT_FALSE(tightest());
  mounts();
  put("self/cgroup", "4:memory:/job\n0::/job\n");
  group1("job", "9223372036854771712", "5");
  group2("job", "max", "5");
  EXPECT_FALSE(tightest());
  group2("job", "10", "50");  // lowered below what is used
  EXPECT_EQ(tightest()->left, 0U);
}

}  // namespace
}  // namespace lmpo::control_group_test
