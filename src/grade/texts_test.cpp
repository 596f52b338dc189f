// Sentences, words, languages, case and JSON as Python's packages find them
// (tools/oracle/ifeval_grader.py).
#include <gtest/gtest.h>

#include "grade/language.h"
#include "grade/python_json.h"
#include "grade/python_regex.h"
#include "grade/python_text.h"
#include "grade/sentences.h"
#include "grade/testing.h"

namespace lmpo::grade::texts_test {
namespace {

template <typename Check>
void for_each_text(const Check& check) {
  const json texts = golden("ifeval_golden.json").at("texts");
  ASSERT_GT(texts.size(), 50u);
  for (const json& each : texts) {
    const std::string text = each.at("text");
    SCOPED_TRACE(each.at("text").dump());
    check(text, each);
  }
}

TEST(Texts, HaveSentencesAsNltk) {
  for_each_text([](const std::string& text, const json& wanted) {
    EXPECT_EQ(json(sentences(text)), wanted.at("sentences"));
  });
}

TEST(Texts, HaveWordsAsNltk) {
  for_each_text([](const std::string& text, const json& wanted) {
    EXPECT_EQ(json(word_tokens(text)), wanted.at("tokens"));
    EXPECT_EQ(count_words(text), wanted.at("words").get<std::size_t>());
  });
}

TEST(Texts, HaveLanguagesAsLangdetect) {
  for_each_text([](const std::string& text, const json& wanted) {
    const auto found = detect_language(text);
    EXPECT_EQ(found ? json(*found) : json(), wanted.at("language"));
  });
}

TEST(Texts, HaveCaseAsInPython) {
  for_each_text([](const std::string& text, const json& wanted) {
    EXPECT_EQ(is_upper(text), wanted.at("upper").get<bool>());
    EXPECT_EQ(is_lower(text), wanted.at("lower").get<bool>());
  });
}

TEST(Texts, AreJsonWherePythonReadsIt) {
  const json texts = golden("ifeval_golden.json").at("json");
  for (const json& each : texts) {
    EXPECT_EQ(is_python_json(each.at("text").get<std::string>()), each.at("is_json").get<bool>())
        << each.at("text").dump().substr(0, 100);
  }
  EXPECT_TRUE(is_python_json(std::string(900, '[') + std::string(900, ']')));
  EXPECT_FALSE(is_python_json(std::string(901, '[') + std::string(901, ']')));
  EXPECT_FALSE(is_python_json(std::string(1'000'000, '[')));
}

TEST(PythonRegex, HasPythonsClasses) {
  const auto matches = [](const char* pattern, std::string_view text) {
    return python_regex(pattern, "test").is_in(text);
  };
  EXPECT_TRUE(matches("^\\s$", "\x1c"));
  EXPECT_FALSE(matches("^\\s$", "\u180e"));
  EXPECT_FALSE(matches("^\\S$", "\x1f"));
  EXPECT_TRUE(matches("^[a\\s]{2}$", "\x1d\u3000"));
  EXPECT_TRUE(matches("^\\w\\W\\d\\D$", "½\u093f५x"));
  EXPECT_TRUE(matches("^[]a]+$", "]a]"));
  EXPECT_TRUE(matches("^[^]a]$", "b"));
  EXPECT_TRUE(matches("^[[:a]+$", "[a:"));
  EXPECT_TRUE(matches("(?i)\\bÄB\\b", "x äb."));
  EXPECT_FALSE(matches("\\bab\\b", "ab\u00b2"));
  EXPECT_TRUE(matches("\\Bb", "ab"));
  EXPECT_FALSE(matches("^b", "a\nb"));
  EXPECT_TRUE(python_regex("^b", "test", Lines::many).is_in("a\nb"));
}

TEST(PythonRegex, Substitutes) {
  EXPECT_EQ(substitute(python_regex("(a)(x)?", "test"), "<\\1\\2\\0>", "baac"), "b<aa><aa>c");
  EXPECT_EQ(replace("aXbXX", "X", "--"), "a--b----");
  EXPECT_EQ(split("", ",").size(), 1u);
}

}  // namespace
}  // namespace lmpo::grade::texts_test
