// The records that people and other programs read.
#include "train/records.h"

#include <gmock/gmock.h>

#include "base/testing/test_folder.h"
#include "train/event_file.h"
#include "train/run_log.h"

namespace lmpo::records_test {
namespace {

using ::testing::ElementsAre;

class RecordsTest : public FolderTest {
 protected:
  RecordsTest() {
    recipe_.per_device_train_batch_size = 4;
    recipe_.num_train_epochs = 1.5;
    recipe_.logging_steps = 2;
    recipe_.save_steps = 5;
    state_.step = 6;
    state_.tokens = 1000;
    state_.log_history = json::array({{{"step", 6},
                                       {"epoch", 0.6},
                                       {"loss", 0.5},
                                       {"learning_rate", 1e-6},
                                       {"rewards/chosen", -0.25},
                                       {"rewards/margins", 0.125},
                                       {"rewards/accuracies", 0.75}}});
  }

  RunLength length() const { return {recipe_, 40}; }

  TrainRecipe recipe_;
  TrainState state_;
};

// The fields of transformers.TrainerState.
TEST_F(RecordsTest, TrainerStateIsThatOfTransformers) {
  const json found = trainer_state(state_, recipe_, length(), 7);
  EXPECT_EQ(found, json({{"best_global_step", nullptr},
                         {"best_metric", nullptr},
                         {"best_model_checkpoint", nullptr},
                         {"epoch", 0.6},
                         {"eval_steps", 2},
                         {"global_step", 6},
                         {"is_hyper_param_search", false},
                         {"is_local_process_zero", true},
                         {"is_world_process_zero", true},
                         {"log_history", state_.log_history},
                         {"logging_steps", 2},
                         {"max_steps", 15},
                         {"num_input_tokens_seen", 1000},
                         {"num_train_epochs", 2},
                         {"save_steps", 5},
                         {"stateful_callbacks", json::object()},
                         {"total_flos", 42000.0},
                         {"train_batch_size", 4},
                         {"trial_name", nullptr},
                         {"trial_params", nullptr}}));
}

// The keys of LLaMA-Factory's trainer_log.jsonl, in its order, then what it has no name for.
TEST_F(RecordsTest, ALogLineForEachEntry) {
  const Progress progress({.begin = 0, .total = 15, .bar = false});
  const auto line = ordered_json::parse(log_line(state_, length(), progress));
  std::vector<std::string> keys;
  for (const auto& [key, value] : line.items()) {
    keys.push_back(key);
  }
  EXPECT_THAT(keys, ElementsAre("current_steps", "total_steps", "loss", "reward", "accuracy", "lr",
                                "epoch", "percentage", "elapsed_time", "remaining_time",
                                "throughput", "total_tokens", "rewards/margins"));
  EXPECT_EQ(line["rewards/margins"], 0.125);
  EXPECT_EQ(line["current_steps"], 6);
  EXPECT_EQ(line["total_steps"], 15);
  EXPECT_EQ(line["reward"], -0.25);
  EXPECT_EQ(line["accuracy"], 0.75);
  EXPECT_EQ(line["lr"], 1e-6);
  EXPECT_EQ(line["percentage"], 40.0);
  EXPECT_EQ(line["total_tokens"], 1000);

  state_.log_history.push_back({{"step", 6}, {"epoch", 0.6}, {"eval_loss", 0.25}});
  const auto evaluated = json::parse(log_line(state_, length(), progress));
  EXPECT_EQ(evaluated["eval_loss"], 0.25);
  EXPECT_FALSE(evaluated.contains("loss"));
}

TEST_F(RecordsTest, AnEntryForAPerson) {
  EXPECT_THAT(readable_fields(state_.log_history[0]),
              ElementsAre("loss 0.5", "rewards/accuracies 0.75", "rewards/margins 0.125",
                          "learning_rate 1e-06"));
  EXPECT_THAT(readable_fields({{"loss", nullptr}, {"grad_norm", 1.23456}}),
              ElementsAre("grad_norm 1.235"));
  // kto has no margin of a pair: its two rewards and its divergence are shown.
  EXPECT_THAT(readable_fields({{"eval_loss", 0.5},
                               {"eval_rewards/chosen", 0.25},
                               {"eval_rewards/rejected", -0.125},
                               {"eval_kl", 3}}),
              ElementsAre("eval_loss 0.5", "eval_rewards/chosen 0.25",
                          "eval_rewards/rejected -0.125", "eval_kl 3"));
}

TEST_F(RecordsTest, TheLogGoesBackToTheCheckpoint) {
  const fs::path log = folder_ / "trainer_log.jsonl";
  const auto keep = [](const json& line) { return line["current_steps"] <= 3; };
  rewind_lines(log, keep);  // none yet
  EXPECT_FALSE(fs::exists(log));
  write_file_atomically(log,
                        "{\"current_steps\": 1}\n{\"current_steps\": 3}\nnonsense\n"
                        "{\"current_steps\": 4}\n{\"current_st");
  rewind_lines(log, keep);
  EXPECT_EQ(read_file(log), "{\"current_steps\": 1}\n{\"current_steps\": 3}\n");
}

TEST_F(RecordsTest, ResultsAddUp) {
  write_results(folder_, "eval", {{"eval_loss", 1.0}, {"epoch", 1.0}});
  write_results(folder_, "train", {{"train_loss", 2.0}, {"epoch", 2.0}});
  EXPECT_EQ(read_json(folder_ / "eval_results.json"), json({{"eval_loss", 1.0}, {"epoch", 1.0}}));
  EXPECT_EQ(read_json(folder_ / "all_results.json"),
            json({{"eval_loss", 1.0}, {"train_loss", 2.0}, {"epoch", 2.0}}));
}

TEST_F(RecordsTest, AnEarlierRunIsRemovedAndNothingElse) {
  for (const char* name : {"checkpoint-5", "checkpoint-mine"}) {
    fs::create_directories(folder_ / name);
    write_file_atomically(folder_ / name / "lmpo_state.json", "{}");
  }
  for (const char* name : {"trainer_log.jsonl", "trainer_state.json", "all_results.json",
                           "train_results.json", "eval_results.json", "lmpo_run.json", kEvalSamples,
                           kCurvesFile, "notes.txt", "model.safetensors"}) {
    write_file_atomically(folder_ / name, "");
  }
  EventFile(folder_ / kEventFolders / "one", 1).scalars(1, {{"loss", 1}});
  remove_run(folder_);
  EXPECT_THAT(listing(), ElementsAre("checkpoint-mine", "model.safetensors", "notes.txt"));
}

}  // namespace
}  // namespace lmpo::records_test
