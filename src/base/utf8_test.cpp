// UTF-8 against the Unicode Standard's own tables, and what printable text may hold.
#include "base/utf8.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/printable_json.h"

namespace lmpo::utf8_test {
namespace {

// Unicode 15, table 3-7: the bytes of well-formed sequences, {lowest, highest} by place.
using Row = std::vector<std::array<unsigned, 2>>;
const std::vector<Row> kWellFormed = {
    {{0x00, 0x7F}},
    {{0xC2, 0xDF}, {0x80, 0xBF}},
    {{0xE0, 0xE0}, {0xA0, 0xBF}, {0x80, 0xBF}},
    {{0xE1, 0xEC}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xED, 0xED}, {0x80, 0x9F}, {0x80, 0xBF}},
    {{0xEE, 0xEF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF0, 0xF0}, {0x90, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF1, 0xF3}, {0x80, 0xBF}, {0x80, 0xBF}, {0x80, 0xBF}},
    {{0xF4, 0xF4}, {0x80, 0x8F}, {0x80, 0xBF}, {0x80, 0xBF}},
};

// The longest beginning of a row that the text starts with, and whether it is the whole row.
std::pair<std::size_t, bool> longest_match(std::string_view text) {
  std::pair<std::size_t, bool> best = {0, false};
  for (const Row& row : kWellFormed) {
    std::size_t length = 0;
    while (length < row.size() && length < text.size() &&
           static_cast<unsigned char>(text[length]) >= row[length][0] &&
           static_cast<unsigned char>(text[length]) <= row[length][1]) {
      ++length;
    }
    best = std::max(best, {length, length == row.size()});
  }
  return best;
}

// "U+FFFD substitution of maximal subparts" (section 3.9), word for word.
std::string replaced_slowly(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto [length, whole] = longest_match(text);
    result += whole ? text.substr(0, length) : "\uFFFD";
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

// All strings of four bytes from both sides of every boundary of the table.
TEST(Utf8, IllFormedPartsAreThoseOfTheTable) {
  constexpr std::array<unsigned, 24> kBytes = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                               0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC,
                                               0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5};
  std::string text(4, ' ');
  std::size_t different = 0;
  for (std::size_t all = 0; all < kBytes.size() * kBytes.size() * kBytes.size() * kBytes.size();
       ++all) {
    std::size_t rest = all;
    for (char& byte : text) {
      byte = static_cast<char>(kBytes[rest % kBytes.size()]);
      rest /= kBytes.size();
    }
    const std::string expected = replaced_slowly(text);
    different += replace_invalid_utf8(text) == expected ? 0 : 1;
    different += is_valid_utf8(text) == (expected == text) ? 0 : 1;
  }
  EXPECT_EQ(different, 0U);
}

// Tables 3-8 to 3-11 of the standard.
TEST(Utf8, ReplacesAsTheStandardsExamples) {
  const std::string r = "\uFFFD";
  EXPECT_EQ(replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
            r + r + r + r + r + "A" + r + r + "B");
  EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
}

// Text of ASCII is read eight bytes at once: what is not ASCII may stand anywhere in it.
TEST(Utf8, IsValidWhereReplacingChangesNothing) {
  const std::string ascii(20, 'a');
  for (const std::string part : {"a", "\xC3\xA4", "\xF0\x9F\x99\x82", "\xE9", "\x80", "\xE2\x82"}) {
    for (std::size_t at = 0; at <= ascii.size(); ++at) {
      const std::string text = ascii.substr(0, at) + part + ascii.substr(at);
      EXPECT_EQ(is_valid_utf8(text), replaced_slowly(text) == text) << part << " at " << at;
      const std::string end = ascii.substr(0, at) + part;
      EXPECT_EQ(is_valid_utf8(end), replaced_slowly(end) == end) << part << " after " << at;
    }
  }
}

TEST(Utf8, EveryCharacterComesBack) {
  std::size_t wrong = 0;
  for (char32_t c = 0; c <= 0x10FFFF; c += c == 0xD7FF ? 0x801 : 1) {
    std::string text = "x";
    append_utf8(text, c);
    const std::string_view character = std::string_view(text).substr(1);
    wrong += is_valid_utf8(text) && utf8_size(character[0]) == character.size() &&
                     first_code_point(character) == c && previous_character(text, text.size()) == 1
                 ? 0
                 : 1;
  }
  EXPECT_EQ(wrong, 0U);
}

// The 25 characters of PropList.txt.
TEST(Utf8, WhiteSpaceIsUnicodes) {
  const std::u32string white =
      U"\t\n\v\f\r \u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
      U"\u200A\u2028\u2029\u202F\u205F\u3000";
  ASSERT_EQ(white.size(), 25U);
  for (char32_t c = 0; c < 0x4000; ++c) {
    EXPECT_EQ(is_white_space(c), white.find(c) != std::u32string::npos) << std::uint32_t{c};
  }
}

TEST(Utf8, PrintableTextCommandsNoTerminal) {
  EXPECT_EQ(printable("plain \u00e9\u4e2d\U0001F600 text", LineEnds::escape),
            "plain \u00e9\u4e2d\U0001F600 text");
  EXPECT_EQ(printable("a\x1b[31mred\x07\x7f\t\r", LineEnds::escape),
            "a\\x1b[31mred\\x07\\x7f\\t\\r");
  EXPECT_EQ(printable("one\ntwo", LineEnds::keep), "one\ntwo");
  EXPECT_EQ(printable("one\ntwo", LineEnds::escape), "one\\ntwo");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m",
                      LineEnds::keep),
            "\\x9b31m");  // C1's own way to say ESC [
  EXPECT_EQ(printable("\u202eabc\u2066\u200f", LineEnds::keep), "\\u202eabc\\u2066\\u200f");
  EXPECT_EQ(printable("\U000E0041", LineEnds::keep), "\\U000e0041");
  EXPECT_EQ(printable("a\xff"
                      "b",
                      LineEnds::keep),
            "a\uFFFD"
            "b");
  for (char32_t c = 0; c < 0xA0; ++c) {
    std::string text;
    append_utf8(text, c);
    for (const char shown : printable(text, LineEnds::escape)) {
      EXPECT_TRUE(shown >= 0x20 && shown < 0x7F) << static_cast<unsigned>(c);
    }
  }
}

TEST(Utf8, PrintableJsonIsTheSameJson) {
  const json value = {{"text", "plain \u00e9 \u009b31m\u202e \x1b\x7f \U000E0041 \U0001F600\n"}};
  for (const int indent : {-1, 2}) {
    const std::string shown = printable_json(value.dump(indent));
    EXPECT_EQ(json::parse(shown), value);
    EXPECT_EQ(printable(shown, LineEnds::keep), shown);
    EXPECT_NE(shown.find("\u00e9"), std::string::npos);
    EXPECT_NE(shown.find("\\u009b31m\\u202e"), std::string::npos);
  }
}

}  // namespace
}  // namespace lmpo::utf8_test
