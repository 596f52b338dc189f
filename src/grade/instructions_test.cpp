#include "grade/instructions.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/testing/test_folder.h"
#include "grade/instruction_table.h"
#include "grade/language.h"
#include "grade/sentences.h"
#include "grade/testing.h"

namespace lmpo::grade::instructions_test {
namespace {

json row_of(const std::string& id, const json& parameters) {
  return {{"instruction_id_list", {id}}, {"kwargs", {parameters}}};
}

// Hand-made answers, of which every instruction has true and false ones, with the verdicts of the
// published checker (tools/oracle/ifeval_grader.py).
TEST(Instructions, DecideAsThePublishedChecker) {
  std::map<std::string, std::set<bool>> verdicts;
  const json cases = golden("ifeval_golden.json").at("cases");
  for (const json& each : cases) {
    SCOPED_TRACE(each.dump());
    const auto instructions =
        read_instructions(row_of(each.at("id"), each.at("parameters")), "test");
    const Followed wanted{each.at("strict"), each.at("loose")};
    const auto found = check_instructions(instructions, each.at("answer").get<std::string>());
    EXPECT_EQ(found.at(0).strict, wanted.strict);
    EXPECT_EQ(found.at(0).loose, wanted.loose);
    verdicts[each.at("id")].insert(wanted.strict);
  }
  EXPECT_EQ(verdicts.size(), instruction_kinds().size());
  for (const auto& [id, both] : verdicts) {
    EXPECT_EQ(both.size(), 2u) << id;
  }
}

TEST(Instructions, TheTableHasThe25OfThePaper) {
  EXPECT_EQ(instruction_kinds().size(), 25u);
  for (const InstructionKind& kind : instruction_kinds()) {
    EXPECT_EQ(find_instruction_kind(kind.id), &kind);
  }
  EXPECT_EQ(find_instruction_kind("keywords:none"), nullptr);
}

TEST(Instructions, AreCheckedOneByOne) {
  const auto instructions =
      read_instructions({{"instruction_id_list", {"punctuation:no_comma", "startend:quotation"}},
                         {"kwargs", {json::object(), {{"num_words", nullptr}}}}},
                        "test");
  const auto found = check_instructions(instructions, "Sure, here:\n\"Yes\"");
  EXPECT_EQ(found, (std::vector<Followed>{{false, true}, {false, true}}));
}

TEST(Instructions, TakeAnyBytes) {
  for (const InstructionKind& kind : instruction_kinds()) {
    json parameters = json::object();
    for (const InstructionParameter& each : kind.parameters) {
      const bool is_number = each.type == ParameterType::count;
      parameters[each.name] = is_number                              ? json(1)
                              : each.type == ParameterType::relation ? json("at least")
                              : each.type == ParameterType::texts    ? json({"a"})
                                                                     : json("a");
    }
    const auto instructions = read_instructions(row_of(kind.id, parameters), "test");
    for (const std::string& answer :
         {std::string("\xff\xfe* [a\x80] \0 <<\xc3>>", 16), std::string(3000, '['),
          std::string(3000, '\n'), std::string(3000, '*'), std::string(3000, '<')}) {
      EXPECT_EQ(check_instructions(instructions, answer).size(), 1u) << kind.id;
    }
  }
}

TEST(Instructions, RefuseRowsThatCannotBeChecked) {
  const auto refusal = [](const json& row) {
    return user_error_of([&] { read_instructions(row, "ifeval.jsonl:7"); });
  };
  EXPECT_EQ(refusal({{"kwargs", json::array()}}),
            "ifeval.jsonl:7: a row of IFEval needs the list 'instruction_id_list'");
  EXPECT_EQ(refusal({{"instruction_id_list", {"a", "b"}}, {"kwargs", {json::object()}}}),
            "ifeval.jsonl:7: 2 instructions in 'instruction_id_list', but parameters of 1 in "
            "'kwargs'");
  EXPECT_EQ(refusal(row_of("keywords:none", json::object())),
            "ifeval.jsonl:7: IFEval has no instruction \"keywords:none\"");
  EXPECT_EQ(refusal(row_of("startend:quotation", "text")),
            "ifeval.jsonl:7: the parameters of 'startend:quotation' (in kwargs) should be an "
            "object, not string");
  EXPECT_EQ(refusal(row_of("startend:quotation", {{"num_words", 3}})),
            "ifeval.jsonl:7: 'startend:quotation' has no parameter 'num_words' (in kwargs)");
  EXPECT_EQ(refusal(row_of("length_constraints:number_words", {{"num_words", 3}})),
            "ifeval.jsonl:7: 'length_constraints:number_words' needs the parameter 'relation' (in "
            "kwargs), \"less than\" or \"at least\"");
  EXPECT_EQ(refusal(row_of("keywords:existence", {{"keywords", json::array()}})),
            "ifeval.jsonl:7: 'keywords:existence' needs the parameter 'keywords' (in kwargs), a "
            "list of texts");
  EXPECT_EQ(refusal(row_of("keywords:letter_frequency",
                           {{"letter", "ab"}, {"let_frequency", 1}, {"let_relation", "at least"}})),
            "ifeval.jsonl:7: 'keywords:letter_frequency' needs the parameter 'letter' (in kwargs), "
            "one letter");
  EXPECT_EQ(refusal(row_of("detectable_format:number_bullet_lists", {{"num_bullets", 0}})),
            "ifeval.jsonl:7: 'detectable_format:number_bullet_lists' needs the parameter "
            "'num_bullets' (in kwargs), a number above 0");
}

TEST(Instructions, AKeywordThatIsABadPatternIsNamed) {
  const auto check = [](const char* keyword, const std::string& answer) {
    return user_error_of([&] {
      const auto bad =
          read_instructions(row_of("keywords:existence", {{"keywords", {keyword}}}), "t");
      check_instructions(bad, answer);
    });
  };
  EXPECT_EQ(check("a(b", "text").find("IFEval's keyword 'a(b': the pattern"), 0u);
  EXPECT_EQ(check("(a+)+$", std::string(100, 'a') + "b").find("IFEval's keyword '(a+)+$'"), 0u);
}

// Many real answers, where a file of pairs with verdicts is given (tools/oracle/ifeval_grader.py).
TEST(Instructions, DecidePairsOfAFileAsThePublishedChecker) {
  const char* path = std::getenv("LMPO_IFEVAL_PAIRS");
  if (path == nullptr) {
    GTEST_SKIP() << "no file of pairs in LMPO_IFEVAL_PAIRS";
  }
  struct Count {
    int all = 0;
    int followed = 0;
    int strict = 0;
    int loose = 0;
  };
  std::map<std::string, Count> counts;
  int texts = 0;
  int sentence_differences = 0;
  int token_differences = 0;
  int word_differences = 0;
  int language_differences = 0;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    const json row = json::parse(line);
    const std::string answer = row.at("answer");
    const json language = detect_language(answer) ? json(*detect_language(answer)) : json();
    ++texts;
    sentence_differences += json(sentences(answer)) == row.at("sentences") ? 0 : 1;
    token_differences += json(word_tokens(answer)) == row.at("tokens") ? 0 : 1;
    word_differences += json(count_words(answer)) == row.at("words") ? 0 : 1;
    language_differences += language == row.at("language") ? 0 : 1;
    const auto found = check_instructions(read_instructions(row, path), answer);
    for (std::size_t i = 0; i < found.size(); ++i) {
      Count& count = counts[row.at("instruction_id_list")[i]];
      ++count.all;
      count.followed += found[i].strict ? 1 : 0;
      const bool strict_differs = found[i].strict != row.at("strict")[i].get<bool>();
      const bool loose_differs = found[i].loose != row.at("loose")[i].get<bool>();
      count.strict += strict_differs ? 1 : 0;
      count.loose += loose_differs ? 1 : 0;
      if (strict_differs || loose_differs) {
        std::printf("differs: %s %s | %s\n", row.at("instruction_id_list")[i].dump().c_str(),
                    row.at("kwargs")[i].dump().c_str(),
                    row.at("answer").dump().substr(0, 300).c_str());
      }
    }
  }
  std::printf("%d answers, of which differ: sentences %d, tokens %d, words %d, language %d\n",
              texts, sentence_differences, token_differences, word_differences,
              language_differences);
  for (const auto& [id, count] : counts) {
    std::printf("%-48s %6d checked, %6d followed, %4d and %4d differ (strict, loose)\n", id.c_str(),
                count.all, count.followed, count.strict, count.loose);
    EXPECT_EQ(count.strict + count.loose, 0) << id;
  }
}

}  // namespace
}  // namespace lmpo::grade::instructions_test
