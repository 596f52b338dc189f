// What a run leaves on disk to go on from, and to be read by people.
#include "train/train_state.h"

#include <gmock/gmock.h>

#include <limits>

#include "train/records.h"
#include "train/testing/small_run.h"

namespace lmpo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

using TrainStateTest = FolderTest;

TEST_F(TrainStateTest, NumbersSurviveBitForBit) {
  TrainState state;
  state.step = 123;
  state.tokens = (std::int64_t{1} << 53) + 1;
  state.sampler = {.epoch = 2, .position = 7};
  state.objective = {{"mean", 0.1 + 0.2}};
  state.loss_total = std::numeric_limits<double>::denorm_min();
  state.loss_sum = 1.0 / 3;
  state.loss_steps = 4;
  state.grad_norm = 1e308;
  state.learning_rate = 6e-7;
  state.metrics.add("rewards/chosen", 0.7, 3);
  state.log_history.push_back({{"step", 1}, {"loss", 0.6931471805599453}});
  state.data_fingerprint = "abc";
  const fs::path file = folder_ / "lmpo_state.json";
  write_file_atomically(file, state.to_json().dump(2));
  const TrainState read = read_train_state(folder_);
  EXPECT_EQ(read.to_json(), state.to_json());
  EXPECT_EQ(read.loss_total, state.loss_total);
  EXPECT_EQ(read.tokens, state.tokens);
  EXPECT_EQ(read.metrics.means(), state.metrics.means());
}

TEST_F(TrainStateTest, BrokenFilesAreNamed) {
  EXPECT_THAT(user_error_of([&] { read_train_state(folder_); }), HasSubstr("lmpo_state.json"));
  for (const char* content : {"", "[]", "{}", "{\"step\": \"x\"}", "{\"step\": 1"}) {
    write_file_atomically(folder_ / "lmpo_state.json", content);
    EXPECT_THAT(user_error_of([&] { read_train_state(folder_); }), HasSubstr("lmpo_state.json"))
        << content;
  }
}

TEST_F(TrainStateTest, CheckpointsAreListedByNumberAndOnlyWholeOnes) {
  for (const char* name : {"checkpoint-9", "checkpoint-10", "checkpoint-100"}) {
    fs::create_directories(folder_ / name);
    write_file_atomically(folder_ / name / "lmpo_state.json", "{}");
  }
  fs::create_directories(folder_ / "checkpoint-200");  // nothing in it
  fs::create_directories(folder_ / "checkpoint-x");
  fs::create_directories(folder_ / ".checkpoint-300.partial");
  write_file_atomically(folder_ / "checkpoint-7", "a file");
  EXPECT_THAT(list_checkpoints(folder_),
              ElementsAre(Pair(9, folder_ / "checkpoint-9"), Pair(10, folder_ / "checkpoint-10"),
                          Pair(100, folder_ / "checkpoint-100")));
  EXPECT_EQ(find_checkpoint("true", folder_), folder_ / "checkpoint-100");
  EXPECT_EQ(find_checkpoint((folder_ / "checkpoint-9").string(), folder_),
            folder_ / "checkpoint-9");
  EXPECT_THAT(user_error_of([&] { find_checkpoint("true", folder_ / "none"); }),
              HasSubstr("checkpoint"));
  EXPECT_THAT(user_error_of([&] { find_checkpoint((folder_ / "missing").string(), folder_); }),
              HasSubstr("missing"));
}

TEST(DataFingerprint, ChangesWithTheData) {
  const std::vector<Tree> trees = lmpo::testing::random_trees(5);
  const std::string original = data_fingerprint(trees);
  EXPECT_EQ(original, data_fingerprint(lmpo::testing::random_trees(5)));
  auto changed = trees;
  changed[2].sequences[1].tokens[0] ^= 1;
  EXPECT_NE(original, data_fingerprint(changed));
  changed = trees;
  changed[4].sequences[0].scored_begin += 1;
  EXPECT_NE(original, data_fingerprint(changed));
  changed = trees;
  std::swap(changed[0], changed[1]);
  EXPECT_NE(original, data_fingerprint(changed));
  changed = trees;
  changed.pop_back();
  EXPECT_NE(original, data_fingerprint(changed));
}

using RecordsTest = FolderTest;

TEST_F(RecordsTest, TheLogGoesBackToTheCheckpoint) {
  const fs::path log = folder_ / "trainer_log.jsonl";
  rewind_log(log, 3);  // none yet
  EXPECT_FALSE(fs::exists(log));
  write_file_atomically(log,
                        "{\"current_steps\": 1}\n{\"current_steps\": 3}\nnonsense\n"
                        "{\"current_steps\": 4}\n{\"current_st");
  rewind_log(log, 3);
  EXPECT_EQ(read_file(log), "{\"current_steps\": 1}\n{\"current_steps\": 3}\n");
}

TEST_F(RecordsTest, ResultsAddUp) {
  write_results(folder_, "eval", {{"eval_loss", 1.0}, {"epoch", 1.0}});
  write_results(folder_, "train", {{"train_loss", 2.0}, {"epoch", 2.0}});
  EXPECT_EQ(read_json(folder_ / "eval_results.json"), json({{"eval_loss", 1.0}, {"epoch", 1.0}}));
  EXPECT_EQ(read_json(folder_ / "all_results.json"),
            json({{"eval_loss", 1.0}, {"train_loss", 2.0}, {"epoch", 2.0}}));
}

TEST(ReadableTime, AsPythonPrintsIt) {
  EXPECT_EQ(readable_time(0), "0:00:00");
  EXPECT_EQ(readable_time(83.4), "0:01:23");
  EXPECT_EQ(readable_time(3600 * 25 + 61), "1 day, 1:01:01");
}

}  // namespace
}  // namespace lmpo
