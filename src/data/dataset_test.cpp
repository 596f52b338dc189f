#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/testing/test_paths.h"
#include "base/threads.h"
#include "data/source_rows.h"

namespace lmpo::dataset_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const fs::path kTestdata = source_folder() / "src/data/testdata";

class DatasetTest : public ::testing::Test {
 protected:
  DatasetTest()
      : tokenizer_(Tokenizer::load(kTestdata / "llama3")),
        template_(ChatTemplate::load(kTestdata / "llama3").value()),
        folder_(fs::path(::testing::TempDir()) /
                ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::create_directories(folder_);
  }
  ~DatasetTest() override { fs::remove_all(folder_); }

  fs::path file(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return folder_ / name;
  }

  Dataset load(const std::vector<DataSource>& files, const DataOptions& options = {}) const {
    return load_dataset(files, tokenizer_, &template_, options);
  }
  std::string error_of(const std::vector<DataSource>& files,
                       const DataOptions& options = {}) const {
    try {
      load(files, options);
    } catch (const UserError& error) {
      return error.what();
    }
    return "no error";
  }

  Tokenizer tokenizer_;
  ChatTemplate template_;
  fs::path folder_;
};

constexpr auto kGood = R"({"prompt": "One", "chosen": " two", "rejected": " three"})";

std::string conversation(const std::string& prompt, const std::string& chosen = "Yes") {
  return R"({"prompt": [)" + prompt + R"(], "chosen": [{"role": "assistant", "content": ")" +
         chosen + R"("}], "rejected": [{"role": "assistant", "content": "No"}]})" + "\n";
}

TEST_F(DatasetTest, WhatIsWorthSayingOfRowsIsCounted) {
  template_ = ChatTemplate::parse(
      "{% for m in messages %}{% if m.role != 'system' %}{{ m.content }}<|eot_id|>{% endif %}"
      "{% endfor %}",
      "template");
  const std::string system = R"({"role": "system", "content": "Be brief."}, )";
  const Dataset dataset =
      load({file("rows.jsonl", conversation(R"({"role": "user", "content": "a"})") +
                                   conversation(system + R"({"role": "user", "content": "b"})") +
                                   conversation(system + R"({"role": "Human", "content": "c"})"))});
  EXPECT_EQ(dataset.trees.size(), 3u);
  EXPECT_EQ(dataset.notes.sentence(RowNote::turn_left_out),
            "in 2 rows the chat template leaves out a turn of the prompt (first: row 1, system: Be "
            "brief.)");
  EXPECT_EQ(dataset.notes.count(RowNote::roles_renamed).first_row, 2);
  EXPECT_EQ(dataset.notes.notes(), (std::vector{RowNote::roles_renamed, RowNote::turn_left_out}));
  ::testing::internal::CaptureStderr();
  log_dataset(dataset, {}, "train data");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("train data: in 2 rows the chat template leaves out a turn"));
}

TEST_F(DatasetTest, ColumnsThatNothingReadsAreNamed) {
  const auto columns = [&](const std::string& row) {
    return load({file("rows.jsonl", row)}).unused_columns;
  };
  EXPECT_EQ(columns(kGood).notice() + columns(kGood).warning(), "");
  const UnusedColumns some = columns(
      R"({"prompt": "a", "chosen": "b", "rejected": "c", "score": NaN, "source": "x", "id": 3})");
  EXPECT_EQ(some.notice(), "unused columns: id, source");
  EXPECT_EQ(some.warning(), "");
  EXPECT_EQ(columns(R"({"sytem": "s", "prompt": "a", "chosen": "b", "rejected": "c"})").warning(),
            "unused columns: 'sytem' (did you mean 'system'?)");
  // It is said to the model in conversations alone.
  EXPECT_EQ(columns(R"({"system": "s", "prompt": "a", "chosen": "b", "rejected": "c"})").warning(),
            "unused columns: 'system' (in 1 row)");
  // Texts without a prompt.
  const Dataset without =
      load({file("rows.jsonl", R"({"ask": "x", "chosen": "b", "rejected": "c"})")});
  EXPECT_EQ(without.notes.notes(), (std::vector{RowNote::no_prompt}));
}

TEST_F(DatasetTest, AdviceNamesTheLengthThatKeepsDroppedRows) {
  std::string rows = std::string(kGood) + "\n";
  for (int i = 0; i < 20; ++i) {
    rows += conversation(R"({"role": "user", "content": ")" + std::string(i < 18 ? 90 : 900, 'x') +
                         R"("})");
  }
  DataOptions options;
  options.max_length = 30;
  const Dataset dataset = load({file("rows.jsonl", rows)}, options);
  ASSERT_EQ(dataset.drops.count(DropReason::truncated_response), 20);
  EXPECT_THAT(
      drop_advice(dataset, options),
      AllOf(HasSubstr("keeps 18 of 20 whole"), HasSubstr("--max_prompt_length 15 keeps all 20")));
  // Both do what is said.
  const std::string advice = drop_advice(dataset, options);
  options.max_length = std::stoll(advice.substr(std::string("--max_length ").size()));
  EXPECT_EQ(load({folder_ / "rows.jsonl"}, options).drops.total(), 2);
  options.max_length = 30;
  options.max_prompt_length = 15;
  EXPECT_EQ(load({folder_ / "rows.jsonl"}, options).drops.total(), 0);
  EXPECT_EQ(drop_advice(load({folder_ / "rows.jsonl"}, options), options), "");
}

TEST_F(DatasetTest, EveryDropIsCountedWithItsRow) {
  const auto path =
      file("rows.jsonl", std::string(kGood) + "\n" +
                             R"({"prompt": "a", "chosen": "b", "rejected": ""})" + "\n\n" +
                             R"({"prompt": "a", "chosen": "b", "rejected": "b"})" +
                             "\n{\"prompt\": \"\xE9\", \"chosen\": \"b\", \"rejected\": \"c\"}\n" +
                             R"({"prompt": [], "chosen": "b", "rejected": "c"})" + "\n" + kGood);
  const Dataset dataset = load({path});
  EXPECT_EQ(dataset.rows, 6);
  ASSERT_EQ(dataset.trees.size(), 2u);
  EXPECT_EQ(dataset.trees[0].row, 0);
  EXPECT_EQ(dataset.trees[1].row, 5);
  ASSERT_EQ(dataset.drops.total(), 4);
  EXPECT_EQ(dataset.drops.drops()[0].row, 1);
  EXPECT_EQ(dataset.drops.drops()[0].reason, DropReason::empty_response);
  EXPECT_EQ(dataset.drops.drops()[1].reason, DropReason::identical_responses);
  EXPECT_EQ(dataset.drops.drops()[2].reason, DropReason::invalid_utf8);
  EXPECT_EQ(dataset.drops.drops()[3].row, 4);
  EXPECT_EQ(dataset.drops.drops()[3].reason, DropReason::empty_prompt);
}

TEST_F(DatasetTest, AResponseThatTruncationEmptiesDropsTheRow) {
  const auto path = file("rows.json", "[" + std::string(kGood) + "]");
  DataOptions options;
  const auto context =
      static_cast<std::int64_t>(load({path}).trees.at(0).sequences[0].scored_begin);
  options.max_length = context;
  EXPECT_EQ(load({path}, options).drops.count(DropReason::truncated_response), 1);
  options.max_length = context + 1;
  const Dataset kept = load({path}, options);
  ASSERT_EQ(kept.trees.size(), 1u);
  EXPECT_EQ(kept.truncated, 1);
  for (const Sequence& sequence : kept.trees[0].sequences) {
    EXPECT_EQ(sequence.scored_tokens(), 1);
  }
}

TEST_F(DatasetTest, PairsMadeEqualByTruncationAreKeptAndCounted) {
  const auto path =
      file("rows.json", R"([{"prompt": "One", "chosen": " a b c d", "rejected": " a b c e"}])");
  DataOptions options;
  options.max_length = load({path}).trees.at(0).sequences[0].scored_begin + 2;
  const Dataset dataset = load({path}, options);
  EXPECT_EQ(dataset.trees.size(), 1u);
  EXPECT_EQ(dataset.identical_after_truncation, 1);
}

TEST_F(DatasetTest, WithoutAPromptTheFirstTokenIsNotScored) {
  DataOptions options;
  options.kind = RowKind::sft;
  options.max_length = 4;
  options.truncation_mode = TruncationMode::keep_end;
  const auto path = file("rows.jsonl", R"({"text": "a b c d e f g h"})");
  const Dataset dataset = load({path}, options);
  ASSERT_EQ(dataset.trees.size(), 1u);
  EXPECT_EQ(dataset.trees[0].sequences[0].tokens.size(), 4u);
  EXPECT_EQ(dataset.trees[0].sequences[0].scored_begin, 1);
}

TEST_F(DatasetTest, SftScoresTheResponseOrTheConversation) {
  const auto path = file(
      "rows.jsonl",
      R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})");
  DataOptions options;
  options.kind = RowKind::sft;
  const Sequence response = load({path}, options).trees.at(0).sequences.at(0);
  options.sft_target = SftTarget::conversation;
  const Sequence conversation = load({path}, options).trees.at(0).sequences.at(0);
  EXPECT_EQ(response.tokens, conversation.tokens);
  EXPECT_EQ(conversation.scored_begin, 1);
  const std::span<const TokenId> tokens = response.tokens;
  EXPECT_EQ(
      tokenizer_.decode(tokens.subspan(static_cast<std::size_t>(response.scored_begin)), false),
      "b<|eot_id|>");
}

TEST_F(DatasetTest, OrderAndTokensDoNotDependOnThreads) {
  std::string content;
  for (int row = 0; row < 3000; ++row) {
    content += fmt::format(R"({{"prompt": "Row {}", "chosen": "{}", "rejected": " no"}})", row,
                           row % 7 == 0 ? "" : "yes") +
               "\n";
  }
  const std::vector<DataSource> files = {file("a.jsonl", content), file("b.jsonl", content)};
  const int before = threads();
  set_threads(1);
  const Dataset serial = load(files);
  set_threads(4);
  const Dataset parallel = load(files);
  set_threads(before);
  EXPECT_EQ(serial.rows, 6000);
  ASSERT_EQ(serial.trees.size(), parallel.trees.size());
  std::int64_t last = -1;
  for (std::size_t index = 0; index < serial.trees.size(); ++index) {
    EXPECT_GT(serial.trees[index].row, last);
    last = serial.trees[index].row;
    EXPECT_EQ(parallel.trees[index].row, last);
    for (std::size_t side = 0; side < 2; ++side) {
      EXPECT_EQ(serial.trees[index].sequences[side].tokens,
                parallel.trees[index].sequences[side].tokens);
    }
  }
}

TEST_F(DatasetTest, MistakesAreNamed) {
  EXPECT_THAT(error_of({file("empty.json", "")}), HasSubstr("empty.json: this file has no rows"));
  EXPECT_THAT(error_of({file("none.json", "[]")}), HasSubstr("none.json: this file has no rows"));
  EXPECT_THAT(error_of({file("keys.jsonl", std::string(kGood) + "\n{\"a\": 1}")}),
              HasSubstr("keys.jsonl:2: the keys {a}"));
  EXPECT_THAT(error_of({file("types.json", R"([{"prompt": "a", "chosen": 1, "rejected": "b"}])")}),
              HasSubstr("types.json: row 0: key 'chosen'"));
  DataOptions options;
  options.max_prompt_length = 5;
  EXPECT_THAT(error_of({file("a.jsonl", kGood)}, options), HasSubstr("max_length"));
}

TEST_F(DatasetTest, RealRowsOfEveryKind) {
  const fs::path shared = source_folder() / "../shared/data";
  if (!fs::exists(shared)) {
    GTEST_SKIP() << shared << " is not here";
  }
  DataOptions options;
  for (const auto boundary : {Boundary::trl, Boundary::simpo}) {
    options.boundary = boundary;
    EXPECT_EQ(load({shared / "dpo_en_demo.json"}, options).trees.size(), 300u);
    const Dataset preference = load({shared / "instruction_preference_1100.json"}, options);
    EXPECT_EQ(preference.trees.size(), 1094u);
    EXPECT_EQ(preference.drops.count(DropReason::identical_responses), 6);
  }
  options = {};
  options.kind = RowKind::sft;
  EXPECT_EQ(load({shared / "alpaca_en_demo.json"}, options).trees.size(), 999u);
  EXPECT_EQ(load({shared / "c4_demo.jsonl"}, options).trees.size(), 300u);
  EXPECT_EQ(load({shared / "kto_en_demo.json"}, options).trees.size(), 300u);
}

TEST(DropCounts, SummaryNamesReasonsAndFirstRows) {
  DropCounts drops;
  EXPECT_EQ(drops.summary(), "none dropped");
  drops.add(7, DropReason::identical_responses);
  for (std::int64_t row = 10; row < 17; ++row) {
    drops.add(row, DropReason::empty_response);
  }
  EXPECT_EQ(
      drops.summary(),
      "8 dropped: empty response 7 (rows 10, 11, 12, 13, 14, ...), identical responses 1 (row "
      "7)");
}

// Rows "0", "1", ... whose chosen responses are their numbers.
std::string numbered(int count) {
  std::string rows;
  for (int i = 0; i < count; ++i) {
    rows += fmt::format(R"({{"q": "p{0}", "chosen": " {0}", "rejected": " no"}})", i) + "\n";
  }
  return rows;
}

TEST_F(DatasetTest, ColumnsAreRenamed) {
  DataSource source(file("rows.jsonl", numbered(2)));
  source.columns = {{"q", "prompt"}};
  const Dataset renamed = load({source});
  const auto same = file("same.jsonl", R"({"prompt": "p0", "chosen": " 0", "rejected": " no"})"
                                       "\n"
                                       R"({"prompt": "p1", "chosen": " 1", "rejected": " no"})");
  const Dataset expected = load({same});
  ASSERT_EQ(renamed.trees.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(renamed.trees[i].sequences[0].tokens, expected.trees[i].sequences[0].tokens);
  }
  source.columns = {{"q", "prompt"}, {"chosne", "chosen"}};
  EXPECT_THAT(error_of({source}), HasSubstr("no row has 'chosne' (did you mean 'chosen'?); the "
                                            "first one has q, chosen, rejected"));
  source.columns = {{"chosen", "rejected"}, {"rejected", "chosen"}, {"q", "prompt"}};
  EXPECT_EQ(load({source}).trees[0].sequences[1].tokens, expected.trees[0].sequences[0].tokens);
}

TEST_F(DatasetTest, AWeightIsThePartOfTheRowsThatIsUsed) {
  DataSource source(file("rows.jsonl", numbered(5)));
  source.columns = {{"q", "prompt"}};
  const auto count = [&](double weight) {
    source.weight = weight;
    return load({source}).trees.size();
  };
  EXPECT_EQ(count(1), 5u);
  EXPECT_EQ(count(0.5), 2u);  // rounded down, as the alignment handbook does
  EXPECT_EQ(count(2), 10u);
  EXPECT_EQ(count(1.4), 7u);
  const Dataset more = load({source});
  EXPECT_EQ(more.trees[6].sequences[0].tokens, more.trees[1].sequences[0].tokens);
  EXPECT_EQ(more.trees[6].row, 6);
}

// By the numbers that the trees of load_dataset bear.
TEST_F(DatasetTest, PromptsAreFoundByTheirRows) {
  const auto talk = file(
      "talk.jsonl",
      R"({"prompt": [{"role": "user", "content": "hi"}], "chosen": [{"role": "assistant", "content": "a"}], "rejected": [{"role": "assistant", "content": "b"}]})"
      "\n" +
          std::string(R"({"prompt": "a", "chosen": "b", "rejected": "b"})") + "\n");
  DataSource twice(talk);
  twice.weight = 2;
  const auto text = file("text.jsonl", kGood);
  // What comes after the last of the rows is not read.
  const auto broken = file("broken.jsonl", "{\n");
  EXPECT_EQ(
      read_prompts(find_sources({talk, broken}, DataPurpose::training), RowKind::preference, {0})
          .size(),
      1U);
  const auto found = read_prompts(find_sources({twice, text}, DataPurpose::training),
                                  RowKind::preference, {1, 2, 4, 9});
  EXPECT_EQ(found,
            (std::map<std::int64_t, ordered_json>{
                {2, ordered_json::parse(R"([{"role": "user", "content": "hi"}])")}, {4, "One"}}));
}

// Pairs count as two labels, as training takes them.
TEST(LabelCounts, APairHasOneOfEach) {
  const Tree pair{.sequences = std::vector<Sequence>(2)};
  const Tree good{.sequences = std::vector<Sequence>(1)};
  const Tree bad{.sequences = std::vector<Sequence>(1), .desirable = false};
  EXPECT_FALSE(count_labels({pair, pair}).one_kind());
  EXPECT_TRUE(count_labels({good, good}).one_kind());
  EXPECT_TRUE(count_labels({bad}).one_kind());
  const LabelCounts counts = count_labels({pair, good, good, bad});
  EXPECT_EQ(counts.desirable, 3);
  EXPECT_EQ(counts.undesirable, 2);
}

TEST_F(DatasetTest, RowsAreHeldOutBySeed) {
  DataSource source(file("rows.jsonl", numbered(20)));
  source.columns = {{"q", "prompt"}};
  const auto held = [&](double size, std::uint64_t seed) {
    Dataset data = load({source});
    const Dataset out = hold_out(data, size, seed);
    std::vector<std::int64_t> rows;
    std::vector<bool> seen(20);
    for (const Dataset* part : {&std::as_const(data), &out}) {
      for (const Tree& tree : part->trees) {
        EXPECT_FALSE(seen[static_cast<std::size_t>(tree.row)]);
        seen[static_cast<std::size_t>(tree.row)] = true;
      }
    }
    EXPECT_EQ(data.trees.size() + out.trees.size(), 20u);
    for (const Tree& tree : out.trees) {
      rows.push_back(tree.row);
    }
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    return rows;
  };
  EXPECT_EQ(held(0.1, 1).size(), 2u);
  EXPECT_EQ(held(5, 1).size(), 5u);
  EXPECT_EQ(held(5, 1), held(5, 1));
  EXPECT_NE(held(5, 1), held(5, 2));
  Dataset data = load({source});
  for (const double size : {20.0, 21.0, 1e300}) {
    EXPECT_THROW(hold_out(data, size, 1), UserError);
  }
}

}  // namespace
}  // namespace lmpo::dataset_test
