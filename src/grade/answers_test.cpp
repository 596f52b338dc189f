// Answers of MATH and GSM8K, as lm-eval takes and compares them (tools/oracle/math_grader.py).
#include <gtest/gtest.h>

#include <sstream>

#include "base/testing/test_folder.h"
#include "grade/answer_filters.h"
#include "grade/math_answers.h"
#include "grade/testing.h"

namespace lmpo::grade::answers_test {
namespace {

// Calls check(case) for every case of a section, which has at least `least`.
template <typename Check>
void for_each_case(const char* section, std::size_t least, const Check& check) {
  const json cases = golden("math_golden.json").at(section);
  ASSERT_GE(cases.size(), least);
  for (const json& each : cases) {
    SCOPED_TRACE(each.dump());
    check(each);
  }
}

std::string text(const json& value) {
  return value.get<std::string>();
}

TEST(MathAnswers, AreTakenFromBoxes) {
  for_each_case("boxed", 10,
                [](const json& each) { EXPECT_EQ(boxed_answer(text(each[0])), text(each[1])); });
}

TEST(MathAnswers, AreTakenFromFinalSentences) {
  for_each_case("final", 10,
                [](const json& each) { EXPECT_EQ(final_answer(text(each[0])), text(each[1])); });
}

TEST(MathAnswers, AreNormalised) {
  for_each_case("normalized", 100, [](const json& each) {
    EXPECT_EQ(normalize_answer(text(each[0])), text(each[1]));
  });
}

TEST(MathAnswers, AreEquivalentAsSympySays) {
  for_each_case("equivalent", 70, [](const json& each) {
    EXPECT_EQ(is_equivalent(text(each[0]), text(each[1])), each[2].get<bool>());
  });
}

TEST(MathAnswers, AreCorrectAsLmEvalSays) {
  for_each_case("correct", 30, [](const json& each) {
    EXPECT_EQ(is_correct(text(each[0]), text(each[1])), each[2].get<bool>());
  });
}

TEST(MathAnswers, TakeAnyBytes) {
  const std::string deep = std::string(5000, '(') + "1" + std::string(5000, ')');
  for (const std::string& bytes :
       {std::string("\xff\\boxed{\x80}\0$", 12), deep, std::string(9000, '^'),
        std::string(9000, '{'), std::string(9000, '$')}) {
    boxed_answer(bytes);
    EXPECT_FALSE(is_correct(bytes, "5"));
    EXPECT_FALSE(is_equivalent(bytes, "5"));
    EXPECT_FALSE(is_equivalent("5", bytes));
    normalize_answer(bytes);
  }
}

// Many answers in equal and different forms, where a file of pairs is given
// (tools/oracle/math_grader.py).
TEST(MathAnswers, DecidePairsOfAFileAsSympy) {
  const char* path = std::getenv("LMPO_MATH_PAIRS");
  if (path == nullptr) {
    GTEST_SKIP() << "no file of pairs in LMPO_MATH_PAIRS";
  }
  int all = 0;
  int equal = 0;
  int differ = 0;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const json pair = json::parse(line);
    const bool found = is_equivalent(text(pair.at("answer")), text(pair.at("other")));
    ++all;
    equal += pair.at("equivalent").get<bool>() ? 1 : 0;
    if (found != pair.at("equivalent").get<bool>()) {
      ++differ;
      std::printf("%s: %s | %s\n", found ? "only here" : "only sympy",
                  text(pair.at("answer")).c_str(), text(pair.at("other")).c_str());
    }
  }
  std::printf("%d pairs, of which %d are equal to sympy: %d differ\n", all, equal, differ);
}

TEST(Filters, TakeAnswersAsLmEval) {
  for_each_case("strict", 10, [](const json& each) {
    EXPECT_EQ(gsm8k_strict_match().apply(text(each[0])), text(each[1]));
  });
  for_each_case("flexible", 10, [](const json& each) {
    EXPECT_EQ(gsm8k_flexible_extract().apply(text(each[0])), text(each[1]));
  });
  EXPECT_EQ(RegexFilter("a(x*)", 0).apply("ba"), "");
  EXPECT_EQ(RegexFilter("(x*)a(y*)", 0, "none").apply("ba"), "none");
  EXPECT_EQ(RegexFilter("(.*)", 0).apply("\xff"), "\uFFFD");
  EXPECT_THROW(RegexFilter("(", 0), UserError);
}

TEST(ExactMatch, ComparesAsLmEval) {
  for_each_case("exact", 10, [](const json& each) {
    EXPECT_EQ(gsm8k_exact_match().equal(text(each[0]), text(each[1])), each[2].get<bool>());
  });
  const ExactMatch plain({.regexes_to_ignore = {},
                          .ignore_case = false,
                          .ignore_punctuation = true,
                          .ignore_numbers = true});
  for_each_case("exact_plain", 5, [&](const json& each) {
    EXPECT_EQ(plain.equal(text(each[0]), text(each[1])), each[2].get<bool>());
  });
}

}  // namespace
}  // namespace lmpo::grade::answers_test
