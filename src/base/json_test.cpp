#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "base/testing/test_folder.h"

namespace lmpo::json_test {
namespace {

using ::testing::HasSubstr;

TEST(Json, ErrorsNameFileKeyAndExpectation) {
  const json object = parse_json(
      R"({"a": 1, "b": "x", "c": null, "big": 9223372036854775808, "large": 1e300, "no": [1]})",
      "f.json");
  EXPECT_EQ(required<std::int64_t>(object, "a", "f.json"), 1);
  EXPECT_EQ(required<double>(object, "a", "f.json"), 1);
  EXPECT_EQ(required<double>(object, "large", "f.json"), 1e300);
  EXPECT_EQ(required<double>(object, "big", "f.json"), 0x1p63);
  EXPECT_EQ(optional<double>(object, "c", 2.5, "f.json"), 2.5);
  EXPECT_EQ(optional<std::string>(object, "none", "d", "f.json"), "d");
  const auto whole = [&](const char* key) {
    return user_error_of([&] { required<std::int64_t>(object, key, "f.json"); });
  };
  EXPECT_EQ(whole("b"), "f.json: key 'b': a whole number was expected, not \"x\"");
  EXPECT_EQ(whole("big"),
            "f.json: key 'big': a whole number was expected, not 9223372036854775808");
  EXPECT_EQ(whole("large"), "f.json: key 'large': a whole number was expected, not 1e+300");
  EXPECT_EQ(whole("none"), "f.json: the key 'none' is missing");
  EXPECT_EQ(whole("c"), "f.json: key 'c': a whole number was expected, not null");
  EXPECT_EQ(user_error_of([&] { required<bool>(json::array(), "a", "f.json"); }),
            "f.json: an object with the key 'a' was expected");
  const std::string long_text = user_error_of([] {
    required<bool>({{"a", std::string(1000, 'x')}}, "a", "f");
  });
  EXPECT_LT(long_text.size(), 120U);
}

TEST(Json, WhatIsNotJsonIsRefusedShortly) {
  for (const std::string& text :
       {std::string("{"), std::string(""), std::string("{'a': 1}"), std::string("[1,]"),
        std::string("[NaN]"), std::string("[1e999]"), std::string("\"\xFF\""), std::string("[1] 2"),
        "\"" + std::string(1 << 20, 'a'), std::string("// c\n1"), std::string("\"a\nb\""),
        std::string("01"), std::string("\"\\ud800\"")}) {
    const std::string message = user_error_of([&] { parse_json(text, "f.json:3"); });
    EXPECT_THAT(message, ::testing::StartsWith("f.json:3: not valid JSON: ")) << text.substr(0, 20);
    EXPECT_LT(message.size(), 300U);
  }
}

// As in Python and JavaScript.
TEST(Json, OfAKeyThatComesTwiceTheLastValueCounts) {
  EXPECT_EQ(parse_json(R"({"a": 1, "b": 2, "a": 3})", "f"), (json{{"a", 3}, {"b", 2}}));
}

TEST(Json, NumbersKeepTheirValue) {
  for (const char* number : {"0", "-9223372036854775808", "9223372036854775807",
                             "18446744073709551615", "0.1", "5e-324", "1.7976931348623157e+308"}) {
    EXPECT_EQ(parse_json(number, "f").dump(), number);
  }
  EXPECT_EQ(required<std::int64_t>(parse_json(R"({"a": -9223372036854775808})", "f"), "a", "f"),
            INT64_MIN);
}

TEST(Json, RefusesNestingThatCouldExhaustTheStack) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_NO_THROW(parse_json(nested(500), "f.json"));
  EXPECT_THROW(parse_json(nested(501), "f.json"), UserError);
  EXPECT_THROW(parse_json(std::string(10'000'000, '['), "f.json"), UserError);
  // Brackets of texts and of lists side by side do not nest.
  const json flat = parse_json(R"({"a\\": "\\\"[[[", "b": [[]]})", "f.json");
  EXPECT_EQ(flat.size(), 2U);
  EXPECT_NO_THROW(parse_json("[\"" + std::string(1000, '[') + "\"]", "f.json"));
  std::string many = "[[]";
  for (int i = 0; i < 1000; ++i) {
    many += ",[]";
  }
  EXPECT_NO_THROW(parse_json(many + "]", "f.json"));
}

}  // namespace
}  // namespace lmpo::json_test
