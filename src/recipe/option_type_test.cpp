#include "recipe/option_type.h"

#include <gtest/gtest.h>

namespace lmpo::option_type_test {
namespace {

TEST(Bytes, ReadsAndWritesSizes) {
  const std::vector<std::pair<const char*, std::uint64_t>> sizes = {
      {"0", 0},         {"17", 17},          {"5GB", 5'000'000'000}, {"5 gb", 5'000'000'000},
      {"1.5KiB", 1536}, {"2Ti", 2ull << 40}, {"3M", 3'000'000},      {"10b", 10}};
  for (const auto& [text, count] : sizes) {
    EXPECT_EQ(parse_bytes(text), Bytes{count}) << text;
  }
  for (const char* text : {"", "GB", "5XB", "-5GB", "1e3MB", "99999999TB", "5GB5", "1..2"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
  for (const std::uint64_t count : {0ull, 1ull, 1000ull, 1024ull, 5'000'000'000ull, 3ull << 30}) {
    EXPECT_EQ(parse_bytes(format_bytes({count})), Bytes{count});
  }
  EXPECT_EQ(format_bytes({5'000'000'000}), "5GB");
  EXPECT_EQ(format_bytes({8ull << 30}), "8GiB");
}

TEST(Range, SaysAndChecksItsEnds) {
  EXPECT_EQ(kPositive.text(), " > 0");
  EXPECT_EQ(at_least(2).text(), " >= 2");
  EXPECT_EQ(within(0, 1).text(), " in [0, 1]");
  EXPECT_EQ(Range{}.text(), "");
  EXPECT_FALSE(kPositive.contains(0));
  EXPECT_TRUE(within(0, 1).contains(1));
  EXPECT_FALSE(kInsideUnit.contains(1));
}

}  // namespace
}  // namespace lmpo::option_type_test
