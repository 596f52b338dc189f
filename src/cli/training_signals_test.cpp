// Signals and logs that cannot be written, around runs of the program.
#include <chrono>
#include <csignal>
#include <thread>

#include "cli/testing/program.h"

namespace lmpo::training_signals_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kWeights = "model.safetensors";

class TrainingSignals : public ProgramTest {
 protected:
  static void succeed(const Words& words) {
    const Result result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  static Words with(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

// Generated code of matrix products moves the stack pointer into the heap, where a signal's frame
// would be written.
TEST_F(TrainingSignals, AThousandSignalsChangeNothing) {
  const Words options = {"--max_steps", "300", "--save_strategy", "no", "--logging_steps", "50"};
  succeed(training(path("whole"), options));
  Program program(training(path("out"), options));
  ASSERT_TRUE(program.read_until("step 50/300"));
  int sent = 0;
  for (; sent < 1000 && program.is_running(); ++sent) {
    program.signal(SIGUSR2);  // without evaluation data this does nothing
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  EXPECT_EQ(program.wait().exit_code, 0) << sent;
  EXPECT_TRUE(read_file(path("out") / kWeights) == read_file(path("whole") / kWeights));
}

// The model is there before the last evaluation, which can be stopped, and is done by a resumed run.
TEST_F(TrainingSignals, TheLastEvaluationCanBeStopped) {
  const fs::path out = path("out");
  std::string rows;
  for (int i = 0; i < 400; ++i) {
    rows += read_file(world("held_out_preferences.jsonl"));
  }
  const Words words = training(out, {"--max_steps", "4", "--eval_dataset",
                                     write("many.jsonl", rows).string(), "--eval_samples", "0"});
  Program program(words);
  ASSERT_TRUE(program.read_until("step 4/4"));
  while (!fs::exists(out / kWeights) && program.is_running()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  program.signal(SIGTERM);
  const Result stopped = program.wait();
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("the last step is done"));
  EXPECT_TRUE(fs::exists(out / "checkpoint-4"));
  const auto how = [&] { return json::parse(read_file(out / "lmpo_run.json"))["end"]["how"]; };
  EXPECT_EQ(how(), "interrupted");
  succeed(with(words, {"--resume"}));
  EXPECT_EQ(how(), "done");
  EXPECT_TRUE(fs::exists(out / "eval_results.json"));
}

// A log that nobody can read any more ends no training.
TEST_F(TrainingSignals, NoLogIsWorthTheRun) {
  const Words options = {"--max_steps", "5", "--save_strategy", "no"};
  succeed(training(path("whole"), options));
  const Words words = with(training(path("out"), options), {"--overwrite_output_dir"});
  for (const StandardError to :
       {StandardError::full, StandardError::closed, StandardError::unread}) {
    EXPECT_EQ(run(words, {.err_to = to}).exit_code, 0);
    EXPECT_TRUE(read_file(path("out") / kWeights) == read_file(path("whole") / kWeights));
  }
}

}  // namespace
}  // namespace lmpo::training_signals_test
