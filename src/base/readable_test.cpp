#include "base/readable.h"

#include <gtest/gtest.h>

namespace lmpo {
namespace {

TEST(Readable, CountsWithTheirNoun) {
  EXPECT_EQ(counted(0, "row"), "0 rows");
  EXPECT_EQ(counted(1, "row"), "1 row");
  EXPECT_EQ(counted(12, "usable row"), "12 usable rows");
}

TEST(Readable, BytesHaveThreeDigits) {
  EXPECT_EQ(readable_bytes(999), "999 B");
  EXPECT_EQ(readable_bytes(1000), "1.00 kB");
  EXPECT_EQ(readable_bytes(999'499), "999. kB");
  EXPECT_EQ(readable_bytes(999'500), "1.00 MB");
  EXPECT_EQ(readable_bytes(78'900'000'000), "78.9 GB");
}

TEST(Readable, DurationsHaveTwoUnitsAtMost) {
  EXPECT_EQ(readable_duration(7.42), "7.4 s");
  EXPECT_EQ(readable_duration(99.96), "1 min 40 s");
  EXPECT_EQ(readable_duration(3600), "1 h 0 min");
  EXPECT_EQ(readable_duration(2 * 86400 + 4 * 3600), "2 d 4 h");
  EXPECT_EQ(readable_duration(-1), "unknown");
}

}  // namespace
}  // namespace lmpo
