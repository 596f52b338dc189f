#include "judge/alpaca_files.h"

#include <gmock/gmock.h>

#include <cmath>

#include "base/testing/test_folder.h"
#include "judge/alpaca_score.h"
#include "judge/testing/published.h"

namespace lmpo::alpaca_files_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ordered_json annotation(const char* instruction, const char* baseline, const char* model,
                        const ordered_json& preference) {
  return {{"instruction", instruction}, {"output_1", baseline},  {"generator_1", "base"},
          {"output_2", model},          {"generator_2", "mine"}, {"annotator", "judge"},
          {"preference", preference}};
}

class AlpacaFiles : public FolderTest {
 protected:
  fs::path write(const char* name, const std::string& content) const {
    write_file_atomically(folder_ / name, content);
    return folder_ / name;
  }
  fs::path write_rows(const char* name, const std::vector<ordered_json>& rows) const {
    return write(name, ordered_json(rows).dump());
  }
  std::string mistake_in_annotations(const std::vector<ordered_json>& rows) const {
    return user_error_of([&] { read_annotations(write_rows("a.json", rows)); });
  }
};

TEST_F(AlpacaFiles, AnnotationsAreReadAndWrittenAgain) {
  const fs::path file =
      write_rows("a.json", {annotation("one", "x", "é", 1.25), annotation("two", "x", "y", nullptr),
                            annotation("three", "x", "yy", -1)});
  const Annotations annotations = read_annotations(file);
  EXPECT_EQ(annotations.model, "mine");
  EXPECT_EQ(annotations.baseline, "base");
  EXPECT_EQ(annotations.rows[0].preference, 1.25);
  EXPECT_TRUE(std::isnan(annotations.rows[1].preference));
  EXPECT_TRUE(std::isnan(annotations.rows[2].preference));
  EXPECT_EQ(average_length(annotations.outputs("output_2")), 1);  // 4 code points, in 3 outputs
  const fs::path written = folder_ / "b.json";
  write_annotations(written, annotations, std::vector<double>{0.25, 0.5, 0.75});
  const json rows = read_json(written);
  EXPECT_EQ(rows[0]["glm_preference"], 0.25);
  EXPECT_EQ(rows[1]["instruction"], "two");
  EXPECT_EQ(read_annotations(written).rows.size(), 3U);
}

TEST_F(AlpacaFiles, MistakesInAnnotationsAreNamed) {
  EXPECT_THAT(mistake_in_annotations({annotation("one", "x", "y", 2.5)}),
              HasSubstr("a.json: row 0: key 'preference': a number from 1"));
  EXPECT_THAT(mistake_in_annotations({annotation("one", "x", "y", "m")}),
              HasSubstr("a number was expected"));
  ordered_json other = annotation("two", "x", "y", 1);
  other["generator_2"] = "yours";
  EXPECT_THAT(
      mistake_in_annotations({annotation("one", "x", "y", 1), other}),
      AllOf(HasSubstr("row 1: key 'generator_2'"), HasSubstr("'mine'"), HasSubstr("'yours'")));
  EXPECT_THAT(mistake_in_annotations({{{"instruction", "one"}}}), HasSubstr("'output_1'"));
  EXPECT_THAT(mistake_in_annotations({}), HasSubstr("no rows"));
}

TEST_F(AlpacaFiles, OutputsThatDoNotMatchTheSetAreNamed) {
  const std::vector<AlpacaOutput> reference = {{"one", "a", "base", ""}, {"two", "b", "base", ""}};
  const auto ordered =
      in_order_of(reference, {{"two", "B", "", ""}, {"one", "A", "", ""}}, "o.json");
  EXPECT_EQ(ordered[0].output, "A");
  EXPECT_EQ(ordered[1].output, "B");
  EXPECT_THAT(user_error_of([&] {
                in_order_of(reference, {{"one", "A", "", ""}}, "o.json");
              }),
              AllOf(HasSubstr("o.json"), HasSubstr("1 of the set have no output: 'two'")));
  EXPECT_THAT(user_error_of([&] {
                in_order_of(reference, {{"one", "A", "", ""}, {"two ", "B", "", ""}}, "o.json");
              }),
              AllOf(HasSubstr("no output: 'two'"), HasSubstr("not in the set: 'two '")));
  const fs::path twice = write_rows("o.json", {{{"instruction", "one"}, {"output", "a"}},
                                               {{"instruction", "one"}, {"output", "b"}}});
  EXPECT_THAT(user_error_of([&] { read_alpaca_outputs(twice); }),
              HasSubstr("row 1: has the same instruction as"));
}

TEST_F(AlpacaFiles, GamedRowsAndDifficulties) {
  const fs::path gamed = write("g.csv",
                               "model,index,preference,std_delta_len,instruction_difficulty\n"
                               "a,0,0.25,1.5,0.1\na,1,1,-2,0.2\nb,0,0.5,1,0.1\n");
  const GamedBaselines read = read_gamed(gamed);
  EXPECT_EQ(read.rows[1].length_difference, -2);
  EXPECT_EQ(read.rows[1].win_chance, 1);
  EXPECT_THAT(read.difficulties, ElementsAre(0.1, 0.2));
  EXPECT_THAT(read_difficulties(write("d.csv", ",instruction_difficulty\n0,0.5\n1,-1\n")),
              ElementsAre(0.5, -1));
  EXPECT_THAT(
      user_error_of([&] {
        read_gamed(write("g.csv", "preference,std_delta_len,instruction_difficulty\n1.5,0,0\n"));
      }),
      HasSubstr("a number from 0 to 1 was expected, not 1.5"));
  EXPECT_THAT(user_error_of([&] {
                read_difficulties(write("d.csv", ",instruction_difficulty\n0,0.5\n2,-1\n"));
              }),
              HasSubstr("1 was expected after 0"));
}

TEST_F(AlpacaFiles, TheLeaderboardKeepsOtherModels) {
  const CsvTable before = parse_csv(
      ",win_rate,mode,length_controlled_winrate\nold,40.0,minimal,30.0\nmine,1.0,x,2.0\n"
      "\"best, of all\",90.0,minimal,80.0\n",
      "l.csv");
  LengthControl control{.win_rate = 50, .standard_error = 0.5};
  const WinRates rates{.win_rate = 60, .standard_error = 1.5, .total = 2};
  const std::string text = leaderboard_csv(before, "mine", leaderboard_row(rates, 1234, &control));
  EXPECT_EQ(text,
            ",win_rate,mode,length_controlled_winrate,standard_error,avg_length,n_wins,n_wins_base,"
            "n_draws,n_total,discrete_win_rate,lc_standard_error\n"
            "\"best, of all\",90.0,minimal,80.0,,,,,,,,\n"
            "mine,60.0,community,50.0,1.5,1234,0,0,0,2,0.0,0.5\n"
            "old,40.0,minimal,30.0,,,,,,,,\n");
  EXPECT_THAT(
      leaderboard_csv({}, "mine", leaderboard_row(rates, 7, nullptr)),
      HasSubstr(",win_rate,standard_error,mode,avg_length,n_wins,n_wins_base,n_draws,n_total,"
                "discrete_win_rate\nmine,60.0,1.5,community,7,"));
}

// Differences of the same instructions: means subtract, and errors are those of the differences.
TEST_F(AlpacaFiles, DifferencesArePaired) {
  const Annotations first = read_annotations(
      write_rows("a.json", {annotation("one", "x", "y", 2), annotation("two", "x", "yyy", 1.5),
                            annotation("three", "x", "yy", 1)}));
  const Annotations second = read_annotations(
      write_rows("b.json", {annotation("two", "x", "z", 1.25), annotation("one", "x", "z", 1.75)}));
  const AlpacaScore a = score_alpaca(first, nullptr);
  const AlpacaScore b = score_alpaca(second, nullptr);
  const AlpacaDifference difference = difference_of({first, a}, {second, b});
  EXPECT_EQ(difference.instructions, 2);
  EXPECT_DOUBLE_EQ(difference.win_rate.mean, 25);  // 0.25 and 0.25
  EXPECT_DOUBLE_EQ(difference.win_rate.error, 0);
  EXPECT_FALSE(difference.length_controlled);
}

// The file that alpaca_eval wrote of a model of its leaderboard.
TEST_F(PublishedData, AnnotationsOfAModelComeToItsRow) {
  const Annotations annotations = read_annotations(alpaca("annotations_gemma-7b-it.json"));
  LengthControlInput input = read_length_control(alpaca("gamed_features.csv"), {}, std::nullopt);
  const AlpacaScore score = score_alpaca(annotations, &input);
  EXPECT_EQ(score.model, "gemma-7b-it");
  EXPECT_EQ(score.rates.total, 805);
  EXPECT_EQ(score.average_length, 1115);
  EXPECT_NEAR(score.rates.win_rate, 6.937294379677018, 1e-6);
  EXPECT_NEAR(score.length_control->win_rate, 10.425760403690134, 0.01);
}

}  // namespace
}  // namespace lmpo::alpaca_files_test
