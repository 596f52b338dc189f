// lmpo plan, and sizes that no machine has.
#include <gmock/gmock.h>

#include "cli/testing/bad_input.h"

namespace lmpo::plan_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PlanInput : public BadInput {
 protected:
  Words plan(const Words& more) const {
    Words words = {"plan", "-m", model().string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(PlanInput, SizesThatNoMachineHasAreNamedByTheirOption) {
  const std::string huge = "9000000000000000000";
  for (const char* option :
       {"--prompt_tokens", "--response_tokens", "--per_device_train_batch_size"}) {
    expect_refusal(plan({option, huge}), HasSubstr(option));
  }
  expect_refusal(plan({"--prompt_tokens", "1000000", "--per_device_train_batch_size", "100"}),
                 AllOf(HasSubstr("--prompt_tokens 1000000"), HasSubstr("16777216 tokens")));
  for (const char* option : {"per_device_train_batch_size", "gradient_accumulation_steps",
                             "per_device_eval_batch_size", "max_steps"}) {
    expect_refusal(train(model(), pairs(), {std::string("--") + option, huge}), HasSubstr(option));
  }
}

// A run of a billion steps is planned as soon as any.
TEST_F(PlanInput, TheLongestRunIsPlanned) {
  Words words = train(model(), pairs(), {"--dry_run", "--time_estimate", "false"});
  words[6] = "1000000000";  // of --max_steps
  ASSERT_EQ(words[5], "--max_steps");
  const Result result = run(words);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("1000000000 steps"));
}

// A plan needs no weights, but training does: a dry run says so, and its table is in one piece.
TEST_F(PlanInput, ADryRunWarnsOfWeightsThatAreNotThere) {
  const fs::path folder = copy_of_model("without");
  fs::remove(folder / "model.safetensors");
  const Result result = run(train(folder, pairs(), {"--dry_run", "--time_estimate", "false"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("lmpo train would fail"), HasSubstr("no weights")));
  EXPECT_THAT(result.out, HasSubstr("\n  total "));
}

// --compute is the same option wherever a model computes.
TEST_F(PlanInput, ComputeIsAnOptionOfAllThatCompute) {
  const std::string dir = model().string();
  const Words samples = {"pair", "--samples", write("s.jsonl", "{}\n").string(), "--reward_model",
                         dir};
  for (const Words& command :
       {generate(model()), score(model(), pairs()), Words{"chat", "-m", dir}, samples}) {
    Words words = command;
    words.insert(words.end(), {"--compute", "int8"});
    expect_refusal(words, AllOf(HasSubstr("--compute"), HasSubstr("bfloat16")));
  }
  Words words = generate(model());
  words.insert(words.end(), {"--max_new_tokens", "4"});
  const Result usual = run(words);
  words.insert(words.end(), {"--compute", "float32"});
  EXPECT_EQ(run(words).out, usual.out);
}

}  // namespace
}  // namespace lmpo::plan_test
