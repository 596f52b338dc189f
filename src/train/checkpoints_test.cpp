// Which checkpoints a run has, and whether they are what was written.
#include "train/checkpoints.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"

namespace lmpo::checkpoints_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class CheckpointsTest : public FolderTest {
 protected:
  fs::path checkpoint(std::int64_t step) const {
    return folder_ / ("checkpoint-" + std::to_string(step));
  }
  // A checkpoint of the run of that number.
  void make(std::int64_t step, std::int64_t run) const {
    fs::create_directories(checkpoint(step));
    write_file_atomically(checkpoint(step) / "model.safetensors", std::string(100'000, 'w'));
    write_file_atomically(checkpoint(step) / "config.json", "{}");
    TrainState state;
    state.step = step;
    state.run = run;
    write_train_state(checkpoint(step), state);
  }
  void record(const RunIdentity& run) const {
    write_file_atomically(folder_ / "lmpo_run.json", json({{"run", to_json(run)}}).dump());
  }
  std::vector<std::int64_t> steps() const {
    std::vector<std::int64_t> found;
    for (const auto& [step, path] : list_checkpoints(folder_)) {
      found.push_back(step);
    }
    return found;
  }
};

TEST_F(CheckpointsTest, CheckpointsAreListedByNumberAndOnlyWholeOnes) {
  for (const char* name : {"checkpoint-9", "checkpoint-10", "checkpoint-100"}) {
    fs::create_directories(folder_ / name);
    write_file_atomically(folder_ / name / "lmpo_state.json", "{}");
  }
  fs::create_directories(folder_ / "checkpoint-200");  // nothing in it
  for (const char* name : {"checkpoint-x", "checkpoint-", "checkpoint-5x", "checkpoint--6",
                           "checkpoint-99999999999999999999", "checkpoint-0", "other-8"}) {
    fs::create_directories(folder_ / name);
    write_file_atomically(folder_ / name / "lmpo_state.json", "{}");
  }
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

TEST_F(CheckpointsTest, ARunThatContinuesIsTheSameRun) {
  make(2, 3);
  make(4, 3);
  const RunIdentity run = resumed_run(folder_, checkpoint(4), read_train_state(checkpoint(4)));
  EXPECT_EQ(run.number, 3);
  EXPECT_EQ(run.begin, 4);
  record(run);
  set_aside_others(folder_, run);
  EXPECT_THAT(steps(), ElementsAre(2, 4));
}

TEST_F(CheckpointsTest, GoingBackSetsTheLaterOnesAside) {
  for (const std::int64_t step : {2, 4, 6}) {
    make(step, 0);
  }
  const RunIdentity run = resumed_run(folder_, checkpoint(2), read_train_state(checkpoint(2)));
  EXPECT_EQ(run.number, 1);
  record(run);
  // Killed here, the folder has no checkpoint of the run before for the new one.
  EXPECT_THAT(steps(), ElementsAre(2));
  EXPECT_EQ(find_checkpoint("true", folder_), checkpoint(2));
  set_aside_others(folder_, run);
  EXPECT_THAT(listing(), ElementsAre("checkpoint-2", "checkpoint-4.set-aside",
                                     "checkpoint-6.set-aside", "lmpo_run.json"));
  make(4, 1);
  EXPECT_THAT(steps(), ElementsAre(2, 4));
  // And once more.
  const RunIdentity third = resumed_run(folder_, checkpoint(2), read_train_state(checkpoint(2)));
  EXPECT_EQ(third.number, 2);
  record(third);
  set_aside_others(folder_, third);
  EXPECT_TRUE(fs::exists(folder_ / "checkpoint-4.set-aside-2"));
}

TEST_F(CheckpointsTest, ACheckpointOfAnotherFolderSharesNoneOfThisOne) {
  make(2, 0);
  fs::create_directories(folder_ / "other");
  fs::copy(checkpoint(2), folder_ / "other/checkpoint-2", fs::copy_options::recursive);
  const fs::path other = folder_ / "other/checkpoint-2";
  EXPECT_FALSE(is_in(other, folder_));
  EXPECT_TRUE(is_in(checkpoint(2), folder_));
  const RunIdentity run = resumed_run(folder_, other, read_train_state(other));
  record(run);
  EXPECT_TRUE(steps().empty());
  set_aside_others(folder_, run);
  EXPECT_TRUE(fs::exists(folder_ / "checkpoint-2.set-aside"));
}

TEST_F(CheckpointsTest, AnyFlippedBitIsNoticed) {
  make(2, 0);
  make(4, 0);
  EXPECT_TRUE(verify_checkpoint(checkpoint(4)));
  for (const char* name : {"model.safetensors", "config.json", "lmpo_state.json"}) {
    const fs::path file = checkpoint(4) / name;
    const std::string whole = read_file(file);
    std::string flipped = whole;
    // A digit stays a digit.
    const std::size_t at =
        std::string(name) == "lmpo_state.json" ? whole.find("0,") : whole.size() / 2;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    write_file_atomically(file, flipped);
    EXPECT_THAT(user_error_of([&] { verify_checkpoint(checkpoint(4)); }),
                AllOf(HasSubstr(file.string()), HasSubstr("damaged"),
                      HasSubstr("--resume_from_checkpoint " + checkpoint(2).string())))
        << name;
    write_file_atomically(file, whole);
  }
  fs::remove(checkpoint(4) / "config.json");
  EXPECT_THAT(user_error_of([&] { verify_checkpoint(checkpoint(4)); }), HasSubstr("missing"));
}

TEST_F(CheckpointsTest, OneWithoutHashesIsNotVerified) {
  make(2, 0);
  json state = read_json(checkpoint(2) / "lmpo_state.json");
  state.erase("files");
  write_file_atomically(checkpoint(2) / "lmpo_state.json", state.dump());
  EXPECT_FALSE(verify_checkpoint(checkpoint(2)));
  EXPECT_FALSE(verify_checkpoint(folder_));
}

TEST_F(CheckpointsTest, ARemovedOneLeavesNothing) {
  make(2, 0);
  remove_checkpoint(checkpoint(2));
  EXPECT_TRUE(listing().empty());
}

}  // namespace
}  // namespace lmpo::checkpoints_test
