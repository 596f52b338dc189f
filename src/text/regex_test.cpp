#include "text/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace lmpo::regex_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> matches(std::string_view pattern, std::string_view text) {
  std::vector<std::string> found;
  for (const Span span : Regex::oniguruma(pattern, "test").find_all(text)) {
    found.emplace_back(span.of(text));
  }
  return found;
}

TEST(Regex, WhiteSpaceIsUnicodes) {
  EXPECT_THAT(matches("\\s", "a\u00a0b\u3000c\u0085\v"),
              ElementsAre("\u00a0", "\u3000", "\u0085", "\v"));
  // Mongolian vowel separator: PCRE2's own \s takes it.
  EXPECT_THAT(matches("\\s", "\u180e"), IsEmpty());
  EXPECT_THAT(matches("[^\\s]", "\u180e "), ElementsAre("\u180e"));
}

TEST(Regex, WordCharactersAreOnigurumas) {
  EXPECT_THAT(matches("\\w+", "e\u0301_1\u203fx-½"), ElementsAre("e\u0301_1\u203fx", "½"));
  EXPECT_THAT(matches("[\\w-]+", "a-b c"), ElementsAre("a-b", "c"));
  EXPECT_THAT(matches("\\W", "a-\u0301"), ElementsAre("-"));
  EXPECT_THAT(matches("\\bb", "ab \u0301b b"), ElementsAre("b"));
}

TEST(Regex, LettersFoldAsUnicodeSays) {
  EXPECT_THAT(matches("(?i:'s|'k)", "'S '\u017f '\u212a"), ElementsAre("'S", "'\u017f", "'\u212a"));
}

// Characters of Unicode 15 and 16: a letter, a mark, a digit and a symbol.
TEST(Regex, NewerCharactersHaveTheirCategories) {
  const std::string letter = "\U00031350";
  const std::string mark = "\U00010EFD";
  const std::string digit = "\U0001E4F0";
  const std::string symbol = "\U0001FAE8";
  const std::string all = "a" + letter + mark + "1" + digit + symbol;
  EXPECT_THAT(matches("\\p{L}+", all), ElementsAre("a" + letter));
  EXPECT_THAT(matches("\\P{L}+", all), ElementsAre(mark + "1" + digit + symbol));
  EXPECT_THAT(matches("[^\\s\\p{L}\\p{N}]+", all), ElementsAre(mark, symbol));
  EXPECT_THAT(matches("[]\\p{M}]", all + "]"), ElementsAre(mark, "]"));
  EXPECT_THAT(matches("\\\\[\\p{Nd}]", "\\" + digit), ElementsAre("\\" + digit));
  EXPECT_THAT(matches("\\w+", all), ElementsAre("a" + letter + mark + "1" + digit));
  EXPECT_THAT(matches("[\\p{Lo}\\]\\p{So}]", all + "]"), ElementsAre(letter, symbol, "]"));
}

TEST(Regex, HexadecimalDigitsNotHorizontalSpace) {
  EXPECT_THAT(matches("\\h+", " fF09g"), ElementsAre("fF09"));
}

TEST(Regex, APlusAfterAnIntervalRepeatsIt) {
  EXPECT_THAT(matches("\\p{N}{1,3}+", "12345a1"), ElementsAre("12345", "1"));
  EXPECT_THAT(matches("(?:ab){2}+", "ababababab"), ElementsAre("abababab"));
  EXPECT_THAT(matches("x{2}?y", "xxy y"), ElementsAre("xxy", "y"));
  EXPECT_THAT(matches("é{,2}", "ééé"), ElementsAre("éé", "é"));
  EXPECT_THAT(matches("a{x}", "a{x}"), ElementsAre("a{x}"));
}

TEST(Regex, LinesHaveTheirOwnEnds) {
  EXPECT_THAT(matches("^a$", "a\na\nb"), ElementsAre("a", "a"));
  EXPECT_THAT(matches("(?m:a.b)", "a\nb"), ElementsAre("a\nb"));
  EXPECT_THAT(matches("a.b", "a\nb"), IsEmpty());
}

TEST(Regex, MatchesHaveGroups) {
  const std::string_view text = "ab axb b";
  const auto matches = Regex("(a)?(x)?b", "test").find_groups(text);
  ASSERT_EQ(matches.size(), 3u);
  const auto texts = [&](std::size_t i) {
    std::vector<std::string> found;
    for (const Span& span : matches[i]) {
      found.emplace_back(span.of(text));
    }
    return found;
  };
  EXPECT_THAT(texts(0), ElementsAre("ab", "a", ""));
  EXPECT_THAT(texts(1), ElementsAre("axb", "a", "x"));
  EXPECT_THAT(texts(2), ElementsAre("b", "", ""));
}

TEST(Regex, TellsWhetherItIsInAText) {
  EXPECT_TRUE(Regex("b+", "test").is_in("abb"));
  EXPECT_FALSE(Regex("b+", "test").is_in("aa"));
}

TEST(Regex, EmptyMatchesDoNotTouchTheOneBefore) {
  EXPECT_THAT(matches("b*", "abba"), ElementsAre("", "bb", ""));
}

TEST(Regex, LongRunsDoNotOverflow) {
  const std::string text(200'000, 'a');
  EXPECT_THAT(matches("(?:a|b)+", text), ElementsAre(text));
}

// What Oniguruma says goes to PCRE2 where that means the same.
TEST(Regex, OnigurumaDoesWhatPcre2CannotSay) {
  for (const char* pattern : {"[a&&b]", "[a[b]]", "(a)\\1", "(?<n>a)", "a(?i)b", "[\\W]", "(?i:ss)",
                              "(?i)é", "(?i:[\\p{Lu}])", "\\R", "(?(1)a|b)", "\\pL"}) {
    EXPECT_EQ(oniguruma_to_pcre2(pattern), std::nullopt) << pattern;
  }
  for (const char* pattern : {"(?i:'s|'ll)|a", "[^\\s\\p{L}]+", "(?i:a)é", "s{2}", "\\p{Han}"}) {
    EXPECT_NE(oniguruma_to_pcre2(pattern), std::nullopt) << pattern;
  }
  EXPECT_THAT(matches("(a|b)\\1", "abba"), ElementsAre("bb"));
  EXPECT_THAT(matches("[\\p{L}&&[^\\p{Han}]]+", "ab中c"), ElementsAre("ab", "c"));
  EXPECT_THAT(matches("[^(\\s|[.,])]+", "a.b (c)"), ElementsAre("a", "b", "c"));
}

// U+3001 is used in Han texts, but belongs to no script.
TEST(Regex, ScriptsAreNotTheirExtensions) {
  EXPECT_THAT(matches("\\p{Han}+", "中、々"), ElementsAre("中", "々"));
  EXPECT_THAT(matches("\\P{Han}", "中、"), ElementsAre("、"));
  EXPECT_THAT(matches("[\\p{^Han}]", "中、"), ElementsAre("、"));
  EXPECT_THAT(matches("\\p{Han}", "\U00031350"), ElementsAre("\U00031350"));
}

TEST(Regex, APatternThatCannotBeReadIsNamed) {
  for (const char* pattern :
       {"(a", "[a", "a)", "\\", "[b-a]", "\\p{Nonsense}", "(?<n>a)\\1", "(?z)", "\\k<n>", "[a&&"}) {
    SCOPED_TRACE(pattern);
    try {
      Regex::oniguruma(pattern, "key");
      FAIL();
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::string("key: the pattern '") + pattern));
    }
  }
}

TEST(Regex, EndlessBacktrackingIsStopped) {
  EXPECT_THROW(matches("(?:a+a+)+[bc]", std::string(60, 'a')), UserError);
  EXPECT_THROW(matches("(?:a+a+)+[b&&c]", std::string(60, 'a')), UserError);
}

}  // namespace
}  // namespace lmpo::regex_test
