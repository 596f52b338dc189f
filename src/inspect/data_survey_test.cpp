// What a survey says of rows whose properties are known.
#include "inspect/data_survey.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "inspect/row_kind.h"

namespace lmpo::data_survey_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const fs::path kTestdata = source_folder() / "src/data/testdata";

std::string pair_row(const std::string& question, const std::string& good, const std::string& bad) {
  const auto turn = [](const char* role, const std::string& text) {
    return json{{"role", role}, {"content", text}};
  };
  return json{{"prompt", {turn("user", question)}},
              {"chosen", {turn("assistant", good)}},
              {"rejected", {turn("assistant", bad)}}}
             .dump() +
         "\n";
}

class SurveyTest : public FolderTest {
 protected:
  DataReport survey(const std::string& rows, SurveyOptions options = {},
                    const std::string& family = "llama3",
                    const std::optional<std::string>& template_text = {}) {
    write_file_atomically(folder_ / "rows.jsonl", rows);
    const Tokenizer tokenizer = Tokenizer::load(kTestdata / family);
    const ChatTemplate chat = template_text ? ChatTemplate::parse(*template_text, "template")
                                            : ChatTemplate::load(kTestdata / family).value();
    if (options.stop_ids.empty()) {
      options.stop_ids = {tokenizer.eos_id().value()};
    }
    options.has_template = true;
    DataSurvey collecting(tokenizer, options);
    const Dataset dataset = load_dataset({folder_ / "rows.jsonl"}, tokenizer, &chat, options.data,
                                         [&](const RowSeen& row) { collecting.add(row); });
    return collecting.finish(dataset);
  }
};

std::string text_of(const ShownSequence& sequence, PieceKind kind) {
  std::string text;
  for (const Piece& piece : sequence.pieces) {
    text += piece.kind == kind ? piece.text : "";
  }
  return text;
}

const LengthSummary& lengths_of(const DataReport& report, const std::string& name) {
  return *std::ranges::find(report.lengths, name, &LengthSummary::name);
}

TEST_F(SurveyTest, WhatTheTemplateLeavesOutIsAWarning) {
  const json row = {{"system", "Be brief."},
                    {"question", "Hi"},
                    {"chosen", "Yes"},
                    {"rejected", "No"},
                    {"source", "x"}};
  const DataReport report = survey(
      row.dump(), {}, "llama3",
      "{% for m in messages %}{% if m.role != 'system' %}{{ m.content }}<|eot_id|>{% endif %}"
      "{% endfor %}");
  EXPECT_THAT(report.warnings, Contains(HasSubstr("in 1 row the chat template leaves out a turn of "
                                                  "the prompt (first: row 0, system: Be brief.)")));
  EXPECT_THAT(report.warnings, Contains(HasSubstr("unused columns: source")));
}

TEST_F(SurveyTest, PiecesAreTheTemplatesText) {
  const DataReport report = survey(pair_row("Hi \u2615?", "Yes \u00e9.", "No."));
  ASSERT_EQ(report.shown.size(), 1u);
  ASSERT_EQ(report.shown[0].sequences.size(), 2u);
  const std::string prompt =
      "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi \u2615?<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\n";
  const auto& [chosen, rejected] =
      std::pair(report.shown[0].sequences[0], report.shown[0].sequences[1]);
  EXPECT_EQ(chosen.name, "chosen");
  EXPECT_EQ(text_of(chosen, PieceKind::prompt), prompt);
  EXPECT_EQ(text_of(chosen, PieceKind::scored), "Yes \u00e9.<|eot_id|>");
  EXPECT_EQ(text_of(rejected, PieceKind::scored), "No.<|eot_id|>");
  EXPECT_TRUE(chosen.pieces.front().special);
  EXPECT_EQ(chosen.pieces.front().text, "<|begin_of_text|>");
  EXPECT_TRUE(chosen.pieces.back().special);
  EXPECT_THAT(report.warnings, IsEmpty());
}

// Pieces put together are the rendered texts, whatever the tokenizer (Mistral's strips a space at
// the beginning of what it decodes) and wherever characters are cut by tokens.
TEST_F(SurveyTest, NoTextIsLostBetweenPieces) {
  for (const char* family : {"llama3", "zephyr", "mistral", "chatml"}) {
    // Mistral's template takes no system turn, which the third row has.
    std::string rows = read_file(kTestdata / family / "rows.jsonl");
    if (family == std::string("mistral")) {
      rows.resize(rows.find('\n', rows.find('\n') + 1));
    }
    const DataReport report = survey(rows, {.show = 100, .show_tokens = 0}, family);
    const Tokenizer tokenizer = Tokenizer::load(kTestdata / family);
    std::size_t compared = 0;
    const ChatTemplate chat = ChatTemplate::load(kTestdata / family).value();
    load_dataset({folder_ / "rows.jsonl"}, tokenizer, &chat, {}, [&](const RowSeen& seen) {
      const ShownRow& shown = report.shown[static_cast<std::size_t>(seen.row)];
      for (std::size_t i = 0; i < seen.whole.size(); ++i) {
        std::string text;
        for (const Piece& piece : shown.sequences[i].pieces) {
          text += piece.text;
        }
        const Tokens& tokens = seen.whole[i].tokens;
        EXPECT_EQ(text, tokenizer.decode({tokens.data(), tokens.size()}, false));
        ++compared;
      }
    });
    EXPECT_GE(compared, 4u) << family;
  }
}

TEST_F(SurveyTest, CutTokensAreShownWhereTheyWere) {
  SurveyOptions options;
  options.data.max_length = 40;
  options.data.max_prompt_length = 20;
  const std::string question = "What is the colour of the sky in the evening, and why is it so?";
  const std::string answer = "Red, since the light comes from far, far away, and blue is lost.";
  const DataReport report = survey(pair_row(question, answer, "Red."), options);
  const ShownSequence& chosen = report.shown[0].sequences[0];
  EXPECT_EQ(chosen.prompt_tokens, 20);
  EXPECT_EQ(chosen.scored_tokens, 20);
  // keep_end: the prompt lost its beginning, the response its end.
  EXPECT_EQ(chosen.pieces.front().kind, PieceKind::cut);
  EXPECT_EQ(chosen.pieces.front().text, "<|begin_of_text|>");
  EXPECT_EQ(chosen.pieces.back().kind, PieceKind::cut);
  EXPECT_EQ(chosen.pieces.back().text, "<|eot_id|>");
  EXPECT_THAT(text_of(chosen, PieceKind::cut), HasSubstr("What is"));
  EXPECT_EQ(report.cut_rows, 1);
  EXPECT_EQ(report.truncation, "max_length 40, max_prompt_length 20, keep_end on the prompt");
  const std::int64_t prompt = lengths_of(report, "prompt").most;
  const std::int64_t response = lengths_of(report, "chosen").most;
  EXPECT_EQ(chosen.cut_tokens, prompt - 20 + response - 20);
  EXPECT_EQ(report.prompt_tokens_cut, 2 * (prompt - 20));  // once for each response
  EXPECT_EQ(report.response_tokens_cut, response - 20);
  EXPECT_EQ(report.response_tokens, response + lengths_of(report, "rejected").most);
}

TEST_F(SurveyTest, LongRowsAreShownInPart) {
  std::string question;
  for (int i = 0; i < 50'000; ++i) {
    question += "word ";
  }
  const DataReport report =
      survey(pair_row(question, "Yes.", "No."), {.show = 1, .show_tokens = 30});
  const ShownSequence& chosen = report.shown[0].sequences[0];
  std::int64_t shown = 0;
  std::int64_t all = 0;
  for (const Piece& piece : chosen.pieces) {
    all += piece.tokens;
    shown += piece.kind == PieceKind::left_out ? 0 : piece.tokens;
  }
  EXPECT_EQ(all, chosen.prompt_tokens + chosen.scored_tokens);
  EXPECT_LE(shown, 60);
  EXPECT_LT(to_json(report).dump().size(), 10'000u);
}

TEST_F(SurveyTest, CountsDuplicatesDropsAndLengths) {
  const std::string rows = pair_row("A?", "one two three", "one") + pair_row("A?", "x", "y z") +
                           pair_row("B?", "one two three", "one") +
                           pair_row("A?", "one two three", "one") + pair_row("C?", "same", "same") +
                           pair_row("D?", "some", "");
  const DataReport report = survey(rows);
  EXPECT_EQ(report.rows, 6);
  EXPECT_EQ(report.kept, 4);
  EXPECT_EQ(report.duplicate_rows, 1);     // row 3 is row 0
  EXPECT_EQ(report.duplicate_prompts, 2);  // rows 1 and 3 ask what row 0 asks
  ASSERT_EQ(report.drops.size(), 2u);
  EXPECT_EQ(report.drops[0].reason, DropReason::empty_response);
  EXPECT_THAT(report.drops[0].first_rows, ElementsAre(5));
  EXPECT_EQ(report.drops[1].reason, DropReason::identical_responses);
  EXPECT_THAT(report.drops[1].first_rows, ElementsAre(4));
  EXPECT_EQ(report.pairs, 4);
  EXPECT_EQ(report.chosen_longer, 3);
  EXPECT_EQ(lengths_of(report, "chosen").count, 4);
  EXPECT_NEAR(lengths_of(report, "chosen").mean - lengths_of(report, "rejected").mean,
              lengths_of(report, "chosen - rejected").mean, 1e-12);
}

TEST_F(SurveyTest, NamedRowsAreShownAndMustBeThere) {
  std::string rows;
  for (const char* question : {"A?", "B?", "C?", "D?"}) {
    rows += pair_row(question, "yes", "no");
  }
  const DataReport report = survey(rows, {.rows = {3, 1}});
  ASSERT_EQ(report.shown.size(), 2u);
  EXPECT_EQ(report.shown[0].row, 1);
  EXPECT_EQ(report.shown[1].row, 3);
  EXPECT_THAT(user_error_of([&] { survey(rows, {.rows = {4}}); }),
              HasSubstr("--rows 4: the data has 4 rows"));
}

TEST_F(SurveyTest, WarnsOfAResponseWithoutItsEnd) {
  const DataReport report =
      survey(pair_row("A?", "yes", "no"), {}, "llama3",
             "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}");
  EXPECT_THAT(report.warnings, Contains(HasSubstr("2 of 2 responses (100.0%) do not end in an "
                                                  "end-of-turn token (first: row 0)")));
}

TEST_F(SurveyTest, ATurnMayEndInWhiteSpaceAfterItsEnd) {
  EXPECT_THAT(survey(pair_row("A?", "yes", "no"), {}, "zephyr").warnings, IsEmpty());
}

TEST_F(SurveyTest, WarnsOfAnEndAtWhichGenerationGoesOn) {
  const DataReport report = survey(pair_row("A?", "yes", "no"), {.stop_ids = {0}});
  EXPECT_THAT(report.warnings,
              Contains(HasSubstr(
                  "2 of 2 responses end in <|eot_id|>, but generation does not stop at it")));
}

TEST_F(SurveyTest, WarnsOfADoubledBos) {
  const DataReport report =
      survey(pair_row("A?", "yes", "no"), {}, "llama3",
             "{{ bos_token }}{{ bos_token }}{% for m in messages %}{{ m['content'] }}<|eot_id|>"
             "{% endfor %}");
  EXPECT_THAT(report.warnings,
              Contains(HasSubstr("2 of 2 sequences begin with two BOS tokens (first: row 0)")));
}

TEST_F(SurveyTest, WarnsOfATemplateThatIsNotApplied) {
  const DataReport report = survey(R"({"prompt": "One", "chosen": " two", "rejected": " three"})");
  EXPECT_THAT(report.warnings, ElementsAre(HasSubstr("1 of 1 rows are plain text")));
}

TEST_F(SurveyTest, EveryKindOfRowHasItsNames) {
  const auto report_on = [&](const std::string& rows) {
    write_file_atomically(folder_ / "rows.jsonl", rows);
    SurveyOptions options;
    options.data.kind = detect_row_kind({folder_ / "rows.jsonl"});
    return survey(rows, options);
  };
  const auto names = [](const DataReport& report) {
    std::vector<std::string> all;
    for (const LengthSummary& lengths : report.lengths) {
      all.push_back(lengths.name);
    }
    return all;
  };
  EXPECT_THAT(names(report_on(pair_row("A?", "yes", "no"))),
              ElementsAre("prompt", "chosen", "rejected", "chosen - rejected"));
  EXPECT_THAT(names(report_on(R"({"messages": [{"role": "user", "content": "A?"}, )"
                              R"({"role": "assistant", "content": "yes"}]})")),
              ElementsAre("prompt", "response"));
  EXPECT_THAT(names(report_on("{\"prompt\": \"a\", \"completion\": \"b\", \"label\": true}\n"
                              "{\"prompt\": \"a\", \"completion\": \"c\", \"label\": false}\n")),
              ElementsAre("prompt", "desirable", "undesirable"));
  EXPECT_THAT(names(report_on(R"({"prompt": "a", "responses": ["b", "c", "d d"]})")),
              ElementsAre("prompt", "rank 1", "rank 2", "rank 3", "first - last"));
}

TEST_F(SurveyTest, EveryTurnThatIsScoredIsShown) {
  const std::string row =
      R"({"messages": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Yes."},)"
      R"({"role": "user", "content": "Two?"}, {"role": "assistant", "content": "No."}]})"
      "\n";
  SurveyOptions options;
  options.data.kind = RowKind::sft;
  options.data.sft_target = SftTarget::assistant;
  options.show_tokens = 0;
  const DataReport report = survey(row, options);
  ASSERT_EQ(report.shown.size(), 1u);
  const ShownSequence& shown = report.shown[0].sequences.at(0);
  EXPECT_EQ(text_of(shown, PieceKind::scored), "Yes.<|eot_id|>No.<|eot_id|>");
  EXPECT_THAT(text_of(shown, PieceKind::prompt), HasSubstr("Two?<|eot_id|>"));
  EXPECT_EQ(report.response_tokens, shown.scored_tokens);
  EXPECT_EQ(report.prompt_tokens, shown.prompt_tokens);
  // Cut inside the second question: it and what follows are not needed.
  options.data.max_length = shown.prompt_tokens + shown.scored_tokens - 6;
  const DataReport cut = survey(row, options);
  EXPECT_EQ(text_of(cut.shown.at(0).sequences.at(0), PieceKind::scored), "Yes.<|eot_id|>");
  EXPECT_THAT(text_of(cut.shown.at(0).sequences.at(0), PieceKind::cut), HasSubstr("Two?"));
}

}  // namespace
}  // namespace lmpo::data_survey_test
