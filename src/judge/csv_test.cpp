#include "judge/csv.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/testing/test_folder.h"

namespace lmpo::csv_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Csv, ReadsWhatPandasWrites) {
  const CsvTable table = parse_csv(
      "\xEF\xBB\xBF,name,value\r\n0,\"a, \"\"b\"\"\nc\",1.5\r\n1,plain,\r\n\r\n2,\"\",-2e-3",
      "t.csv");
  EXPECT_THAT(table.names, ElementsAre("", "name", "value"));
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0][1], "a, \"b\"\nc");
  EXPECT_EQ(table.rows[2][1], "");
  const std::size_t value = table.column("value");
  EXPECT_EQ(table.number(0, value), 1.5);
  EXPECT_TRUE(std::isnan(table.number(1, value)));
  EXPECT_EQ(table.number(2, value), -2e-3);
  EXPECT_TRUE(table.has("name"));
  EXPECT_FALSE(table.has("other"));
}

TEST(Csv, MistakesAreNamed) {
  const auto mistake = [](const char* text) {
    return user_error_of([&] { parse_csv(text, "t.csv"); });
  };
  EXPECT_THAT(mistake("a,b\n1,2\n3\n"), HasSubstr("t.csv:3: 2 fields were expected"));
  EXPECT_THAT(mistake("a,b\n1,\"2\n3\n"), HasSubstr("t.csv:2: the quoted field"));
  EXPECT_THAT(mistake("a\n\"1\"2\n"), HasSubstr("t.csv:2: a comma or the end of the line"));
  const CsvTable table = parse_csv("a,b\nx,inf\n", "t.csv");
  EXPECT_THAT(user_error_of([&] { static_cast<void>(table.column("c")); }),
              HasSubstr("no column 'c'; the columns are: a, b"));
  for (const std::size_t column : {0U, 1U}) {
    EXPECT_THAT(user_error_of([&] { static_cast<void>(table.number(0, column)); }),
                HasSubstr("a number was expected"));
  }
}

TEST(Csv, FieldsAndNumbersForPython) {
  EXPECT_EQ(csv_field("a b"), "a b");
  EXPECT_EQ(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
  EXPECT_EQ(csv_number(50), "50.0");
  EXPECT_EQ(csv_number(1.3426390784895994), "1.3426390784895994");
  EXPECT_EQ(csv_number(std::nan("")), "");
}

}  // namespace
}  // namespace lmpo::csv_test
