#include "report/lenient_json.h"

#include <gmock/gmock.h>

#include <cmath>

namespace lmpo::lenient_json_test {
namespace {

using ::testing::ElementsAre;

TEST(LenientJson, TakesWhatProgramsWrite) {
  EXPECT_EQ(*parse_lenient(R"([NaN, -Infinity, "NaN\"NaN", {"a": Infinity}])"),
            json::parse(R"([null, null, "NaN\"NaN", {"a": null}])"));
  EXPECT_EQ(*parse_lenient("[\"a\xff\"]"), json::parse("[\"a\\ufffd\"]"));
  EXPECT_FALSE(parse_lenient("[nan]"));
  EXPECT_FALSE(parse_lenient(""));
}

// A text with NaN in a number's place is read as the same text with null there, whatever its strings
// hold.
TEST(LenientJson, LeavesStringsAlone) {
  for (const std::string& text : {std::string("NaN"), std::string("\\\"NaN"), std::string("a\\\\"),
                                  std::string("\\\\\\\"NaN"), std::string("-Infinity\\u0041"),
                                  std::string("[NaN, \\\"Infinity\\\"]")}) {
    const std::string before = "{\"" + text + "\": [\"" + text + "\", ";
    EXPECT_EQ(*parse_lenient(before + "NaN]}"), json::parse(before + "null]}")) << text;
    EXPECT_EQ(*parse_lenient(before + "1]}"), json::parse(before + "1]}")) << text;
  }
}

TEST(LenientJson, CountsLinesThatAreNotJson) {
  const auto read = [](std::string_view text) {
    std::vector<json> lines;
    const std::int64_t unread =
        for_each_json_line(text, [&](json&& line) { lines.push_back(line); });
    return std::pair(unread, lines);
  };
  const auto [unread, lines] = read("1\n\n{bad}\r\n \t\r\n2\r\n{\"torn\": ");
  EXPECT_EQ(unread, 1);
  EXPECT_THAT(lines, ElementsAre(1, 2));
  EXPECT_EQ(read("").first, 0);
  EXPECT_EQ(read("{torn").first, 0);
  EXPECT_EQ(read("{bad}\n").first, 1);
  EXPECT_THAT(read("3").second, ElementsAre(3));  // whole, without a line end
}

TEST(LenientJson, MembersOfAnotherTypeAreMissing) {
  const json object = {{"n", 2.5}, {"big", 1e16}, {"text", "x"}, {"list", {1}}, {"none", nullptr}};
  EXPECT_EQ(number_or(object, "n", 7), 2.5);
  EXPECT_EQ(integer_or(object, "n", 7), 2);
  EXPECT_EQ(number_or(object, "big", 7), 1e16);
  EXPECT_EQ(integer_or(object, "big", 7), 7);  // beyond what a double counts
  EXPECT_EQ(text_or(object, "text", "y"), "x");
  for (const char* key : {"text", "list", "none", "missing"}) {
    EXPECT_EQ(number_or(object, key, 7), 7) << key;
    EXPECT_EQ(integer_or(object, key, 7), 7) << key;
  }
  EXPECT_EQ(text_or(object, "n", "y"), "y");
  for (const json& other : {json(), json(3), json("n"), json::array({"n"})}) {
    EXPECT_TRUE(member(other, "n").is_null()) << other;
  }
}

}  // namespace
}  // namespace lmpo::lenient_json_test
