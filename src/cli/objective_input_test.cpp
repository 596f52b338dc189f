// Data, reference and options that an objective cannot train with, or that look like a mistake.
#include "cli/testing/bad_input.h"

namespace lmpo::objective_input_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ObjectiveInput : public BadInput {
 protected:
  Words train_by(const std::string& objective, const fs::path& data, Words more = {}) const {
    more.insert(more.end(), {"--objective", objective, "--logging_steps", "1", "--reference_cache",
                             path("cache").string()});
    return train(model(), data, more);
  }
};

TEST_F(ObjectiveInput, LabelsThatAreMissing) {
  const fs::path data = write("rows.jsonl",
                              "{\"prompt\": \"cat\", \"completion\": \" a\", \"label\": true}\n"
                              "{\"prompt\": \"cat\", \"completion\": \" b\"}\n"
                              "{\"prompt\": \"cat\", \"completion\": \" c\", \"label\": 3}\n");
  expect_refusal(train_by("kto", data), AllOf(HasSubstr("rows.jsonl:2: the key 'label' is missing"),
                                              HasSubstr("kto needs it for each response")));
}

TEST_F(ObjectiveInput, LabelsOfOneClass) {
  for (const std::string label : {"true", "false"}) {
    std::string rows;
    for (const char* word : {"a", "b", "c"}) {
      rows += fmt::format("{{\"prompt\": \"cat {}\", \"completion\": \" {}\", \"label\": {}}}\n",
                          word, word, label);
    }
    const Result result =
        run(train_by("kto", write("rows.jsonl", rows), {"--overwrite_output_dir"}));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("warning: train data: every label is " + label));
    const json log = read_json(path("out/trainer_state.json"))["log_history"][0];
    EXPECT_TRUE(std::isfinite(log["loss"].get<double>()));
  }
}

TEST_F(ObjectiveInput, RankedRowsWithoutARanking) {
  const fs::path data =
      write("rows.jsonl",
            "{\"prompt\": \"cat\", \"responses\": [\" a\", \" b\"], \"scores\": [1, 1]}\n"
            "{\"prompt\": \"cat\", \"responses\": [\" a\"]}\n");
  for (const char* objective : {"pro", "rrhf"}) {
    expect_refusal(train_by(objective, data),
                   HasSubstr("no row can be used: 2 dropped: fewer than two responses 1 (row 1), "
                             "tied scores 1 (row 0)"));
  }
}

TEST_F(ObjectiveInput, RowsOfAnotherKind) {
  const fs::path data =
      write("rows.jsonl", "{\"prompt\": \"cat\", \"completion\": \" a\", \"label\": true}\n");
  expect_refusal(train_by("dpo", data),
                 AllOf(HasSubstr("rows.jsonl:1: "), HasSubstr("{completion, label, prompt}"),
                       HasSubstr("preference row")));
}

TEST_F(ObjectiveInput, HyperParametersOutOfRange) {
  const std::vector<std::tuple<const char*, Words, const char*>> mistakes = {
      {"dpo", {"--beta", "0"}, "--beta: a number > 0 was expected, not '0'"},
      {"simpo", {"--beta", "-2"}, "--beta: a number > 0 was expected, not '-2'"},
      {"lmpo", {"--lambda", "-0.1"}, "--lambda: a number >= 0 was expected, not '-0.1'"},
      {"lmpo", {"--margin", "power6"}, "--margin: one of power5, cube, log, sigmoid"},
      {"lmpo", {"--beta", "nan"}, "--beta: "},
      {"dpo", {"--loss_type", "huge"}, "--loss_type: "}};
  for (const auto& [objective, more, message] : mistakes) {
    expect_refusal(train_by(objective, pairs(), more), HasSubstr(message));
  }
}

TEST_F(ObjectiveInput, HyperParametersWithoutEffectAreNamed) {
  const Result result = run(train_by("dpo", pairs(), {"--lambda", "0.5", "--gamma", "1"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("warning: --lambda has no effect on the objective dpo"),
                                HasSubstr("warning: --gamma has no effect on the objective dpo"),
                                Not(HasSubstr("--beta has no effect"))));
}

TEST_F(ObjectiveInput, ReferenceThatIsNotThere) {
  expect_refusal(train_by("dpo", pairs(), {"--ref_model", path("none").string()}),
                 HasSubstr(path("none").string()));
}

// The policy's own log-probabilities must not be taken for those of another reference, nor bytes
// that something else wrote.
TEST_F(ObjectiveInput, CacheOfAnotherReference) {
  const auto cached = [&](const Words& more) {
    const Result result = run(train_by("dpo", pairs(), more));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const json log = read_json(path("out/trainer_state.json"))["log_history"][0];
    return std::pair(result.err, log["loss"].get<double>());
  };
  const Words again = {"--overwrite_output_dir"};
  const auto [first, ln2] = cached(again);
  EXPECT_NEAR(ln2, std::log(2.0), 1e-12);
  EXPECT_THAT(cached(again).first, HasSubstr("log-probabilities read from"));

  const fs::path other = copy_of_model("other");
  std::string weights = read_file(other / "model.safetensors");
  char& mantissa = weights[weights.size() - 2];
  mantissa = static_cast<char>(mantissa ^ 0x20);
  write_file_atomically(other / "model.safetensors", weights);
  const auto [said, loss] = cached({"--overwrite_output_dir", "--ref_model", other.string()});
  EXPECT_THAT(said, Not(HasSubstr("log-probabilities read from")));
  EXPECT_NE(loss, ln2);

  for (const auto& entry : fs::directory_iterator(path("cache"))) {
    write_file_atomically(entry.path(), read_file(entry.path()).substr(0, 40));
  }
  const auto [after, same] = cached(again);
  EXPECT_THAT(after, Not(HasSubstr("log-probabilities read from")));
  EXPECT_EQ(same, ln2);
}

}  // namespace
}  // namespace lmpo::objective_input_test
