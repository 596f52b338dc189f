// The cards of the models that the real program makes.
#include "cli/testing/bad_input.h"

namespace lmpo::card_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Cards : public BadInput {
 protected:
  void train_once(const Words& more = {}) const {
    Words words = train(model(), pairs(), {"--beta", "3", "--save_strategy", "no"});
    words.insert(words.end(), more.begin(), more.end());
    const Result result = run(words);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }
  std::string card(const char* folder) const { return read_file(path(folder) / "README.md"); }
};

TEST_F(Cards, ATrainedModelHasOne) {
  train_once();
  EXPECT_THAT(card("out"),
              AllOf(StartsWith("---\nlibrary_name: transformers\n"), HasSubstr("\n# out\n"),
                    HasSubstr("objective `lmpo`"), HasSubstr("| `beta` | `3.0` | `--beta` |"),
                    HasSubstr("| training | 48 |"), HasSubstr("(training_curves.svg)"),
                    HasSubstr("apply_chat_template"), HasSubstr("arXiv:2502.14643"),
                    HasSubstr("Made by lmpo " LMPO_VERSION ".")));
}

TEST_F(Cards, OnesOwnCardSurvivesTheNextRun) {
  train_once();
  const std::string first = card("out");
  train_once({"--overwrite_output_dir", "--beta", "4"});
  EXPECT_THAT(card("out"), HasSubstr("| `beta` | `4.0` |"));
  const fs::path own = write("out/README.md", "My own words about this model.\n");
  train_once({"--overwrite_output_dir", "--beta", "5"});
  EXPECT_EQ(read_file(own), "My own words about this model.\n");
  EXPECT_THAT(read_file(path("out/README.lmpo.md")), HasSubstr("| `beta` | `5.0` |"));
}

TEST_F(Cards, NamesWithMarkupStayNames) {
  const fs::path data = write("x|`<b>&\n# y.jsonl", read_file(pairs()));
  Words words = train(model(), data, {"--save_strategy", "no"});
  words.back() = "no";
  const Result result = run(words);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(card("out"), AllOf(HasSubstr("x|`<b>&\\n# y.jsonl``"), Not(HasSubstr("\n# y"))));
}

TEST_F(Cards, MergedExportedAndRandomModelsHaveOne) {
  const std::string base = model().string();
  EXPECT_EQ(
      run({"merge", base, base, "--alpha", "0.25", "--output", path("merged").string()}).exit_code,
      0);
  EXPECT_THAT(card("merged"),
              AllOf(HasSubstr("\n# merged\n"), HasSubstr(" | 0.75 |"), HasSubstr(" | 0.25 |")));
  EXPECT_EQ(run({"export", base, "--format", "safetensors", "--dtype", "bfloat16", "--output",
                 path("half").string()})
                .exit_code,
            0);
  EXPECT_THAT(card("half"), HasSubstr("stored in another way"));
  EXPECT_THAT(read_file(model() / "README.md"),
              AllOf(HasSubstr("\n# model\n"), HasSubstr("drawn from seed 1")));
}

}  // namespace
}  // namespace lmpo::card_test
