#include "base/readable.h"

#include <gtest/gtest.h>

namespace lmpo::readable_test {
namespace {

TEST(Readable, CountsHaveTheirNoun) {
  EXPECT_EQ(counted(0, "row"), "0 rows");
  EXPECT_EQ(counted(1, "row"), "1 row");
  EXPECT_EQ(counted(12, "usable row"), "12 usable rows");
  EXPECT_EQ(counted(1, "batch", "es"), "1 batch");
  EXPECT_EQ(counted(2, "batch", "es"), "2 batches");
}

}  // namespace
}  // namespace lmpo::readable_test
