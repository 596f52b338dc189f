// Results of evaluations beside their runs.
#include "report/evaluations.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"
#include "report/run_folder.h"
#include "report/testing.h"

namespace lmpo::evaluations_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class EvaluationsTest : public FolderTest {
 protected:
  fs::path run(const std::string& name) const {
    fs::create_directories(folder_ / name);
    write_file_atomically(folder_ / name / "trainer_state.json", R"({"log_history": []})");
    return folder_ / name;
  }
  void write(const fs::path& file, const fs::path& model, const std::string& task,
             double value) const {
    fs::create_directories(file.parent_path());
    const ordered_json numbers = {
        {"sample_len", 10}, {"acc,none", value}, {"acc_stderr,none", 0.1}};
    write_file_atomically(
        file,
        ordered_json({{"results", {{task, numbers}}}, {"model_name", model.string()}}).dump());
  }
  std::vector<lmpo::Run> with_evaluations(const std::vector<fs::path>& folders) const {
    std::vector<lmpo::Run> runs = {read_run_folder(folder_ / "a"), read_run_folder(folder_ / "b")};
    add_evaluations(runs, folders);
    return runs;
  }
};

TEST_F(EvaluationsTest, StandBesideTheirRuns) {
  const fs::path a = run("a");
  const fs::path b = run("b");
  write(a / "eval" / "x" / "results_2026-01.json", a, "arc_challenge", 0.25);
  write(a / "eval" / "x" / "results_2026-02.json", a, "arc_challenge", 0.5);
  write(a / "eval" / "x" / "results_2026-01b.json", a, "gsm8k", 0.125);
  write(a / "eval" / "base" / "results_2026-03.json", folder_ / "base", "arc_challenge", 0.9);
  write(folder_ / "results" / "b" / "results_2026-01.json", b / ".", "arc_challenge", 0.75);
  const std::string html = evaluations_part(with_evaluations({folder_ / "results"}));
  testing::checked_tags(html);
  EXPECT_THAT(html, AllOf(HasSubstr("GSM8K"), HasSubstr("12.50 ± 10.00"), HasSubstr("50.00 ± "),
                          HasSubstr("75.00 ± "), Not(HasSubstr("25.00")), Not(HasSubstr("90.00"))));
}

TEST_F(EvaluationsTest, WithoutThemThereIsNoTable) {
  run("a");
  run("b");
  EXPECT_EQ(evaluations_part(with_evaluations({})), "");
}

TEST_F(EvaluationsTest, ResultsThatCannotBeReadAreSaid) {
  const fs::path a = run("a");
  run("b");
  write_file_atomically(a / "results_1.json", "{\"results\": 5}");
  EXPECT_THAT(with_evaluations({})[0].notices, ElementsAre(HasSubstr("an object \"results\"")));
  fs::create_directories(folder_ / "empty");
  EXPECT_THAT(user_error_of([&] { with_evaluations({folder_ / "empty"}); }),
              HasSubstr("empty has no results_*.json"));
}

}  // namespace
}  // namespace lmpo::evaluations_test
