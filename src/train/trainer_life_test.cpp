// How runs end, fail, go back and resume, and what they keep of their work.
#include <gmock/gmock.h>

#include <algorithm>

#include "train/checkpoints.h"
#include "train/testing/poisoned_model.h"
#include "train/testing/small_run.h"
#include "train/trainer.h"
#include "tree/testing.h"

namespace lmpo::trainer_life_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TrainerLife : public lmpo::testing::SmallRun {
 protected:
  // Saves and evaluates every fourth of twenty steps.
  TrainInputs evaluated(const std::string& name) const {
    TrainInputs given = inputs(name);
    given.evaluation = lmpo::testing::dataset_of(lmpo::testing::random_trees(10));
    given.recipe.eval_strategy = TrainRecipe::Strategy::steps;
    given.recipe.eval_steps = 4;
    given.recipe.save_strategy = TrainRecipe::Strategy::steps;
    given.recipe.save_steps = 4;
    return given;
  }
  std::vector<std::int64_t> checkpoints(const std::string& name) const {
    std::vector<std::int64_t> steps;
    for (const auto& [step, path] : list_checkpoints(folder_ / name)) {
      steps.push_back(step);
    }
    return steps;
  }
  json run_record(const std::string& name) const {
    return read_json(folder_ / name / "lmpo_run.json");
  }
  std::vector<double> evaluations(const std::string& name, const char* metric) const {
    std::vector<double> found;
    const json saved = state(name);
    for (const json& entry : saved.at("log_history")) {
      if (entry.contains(metric)) {
        found.push_back(entry[metric]);
      }
    }
    return found;
  }
};

// What a resumed run ends in depends on the checkpoint it was told to resume from, and not on those
// that another run left beside it.
TEST_F(TrainerLife, GoingBackIsANewRun) {
  const auto back = [&](const std::string& name) {
    TrainInputs given = evaluated(name);
    given.recipe.learning_rate = 5e-3;
    given.recipe.save_total_limit = 1;
    given.recipe.resume_from_checkpoint = (folder_ / name / "checkpoint-4").string();
    return given;
  };
  run_training(evaluated("run"));
  run_training(back("run"));
  EXPECT_THAT(checkpoints("run"), ElementsAre(20));
  for (const char* name : {"checkpoint-8.set-aside", "checkpoint-20.set-aside"}) {
    EXPECT_TRUE(fs::exists(folder_ / "run" / name)) << name;
  }
  // The same without anything beside the checkpoint.
  run_training(evaluated("other"));
  for (const int step : {8, 12, 16, 20}) {
    fs::remove_all(folder_ / "other" / fmt::format("checkpoint-{}", step));
  }
  run_training(back("other"));
  EXPECT_EQ(read_file(folder_ / "run/model.safetensors"),
            read_file(folder_ / "other/model.safetensors"));
}

// Checkpoints that an earlier run had set aside stay until the run that overwrites it has saved.
TEST_F(TrainerLife, OverwritingRemovesWhatWasSetAside) {
  run_training(evaluated("run"));
  const fs::path aside = folder_ / "run/checkpoint-8.set-aside-2";
  fs::rename(folder_ / "run/checkpoint-8", aside);
  const fs::path notes = folder_ / "run/checkpoint-8.set-aside-notes.txt";
  write_file_atomically(notes, "mine");
  TrainInputs given = evaluated("run");
  given.recipe.resume_from_checkpoint = (folder_ / "run/checkpoint-12").string();
  run_training(given);
  EXPECT_TRUE(fs::exists(aside)) << "a resumed run keeps it";
  given = evaluated("run");
  given.recipe.overwrite_output_dir = true;
  run_training(given);
  EXPECT_FALSE(fs::exists(aside));
  EXPECT_TRUE(fs::exists(notes));
  EXPECT_THAT(checkpoints("run"), ElementsAre(4, 8, 12, 16, 20));
}

TEST_F(TrainerLife, ADamagedCheckpointIsRefused) {
  run_training(evaluated("run"));
  for (const char* name : {"model.safetensors", "optimizer.safetensors"}) {
    const fs::path file = folder_ / "run/checkpoint-20" / name;
    std::string bytes = read_file(file);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 16);
    write_file_atomically(file, bytes);
    TrainInputs given = evaluated("run");
    given.recipe.resume_from_checkpoint = "true";
    EXPECT_THAT(user_error_of([&] { run_training(std::move(given)); }),
                ::testing::AllOf(HasSubstr(name), HasSubstr("checkpoint-16")));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 16);
    write_file_atomically(file, bytes);
  }
}

// The only update of the run makes weights of float16 infinite.
TEST_F(TrainerLife, WeightsThatAreNotFiniteAreNeverSaved) {
  for (const bool saves : {true, false}) {
    fs::remove_all(folder_ / "run");
    TrainInputs given = evaluated("run");
    given.recipe.dtype = "float16";
    given.recipe.learning_rate = 1e6;
    given.recipe.lr_scheduler_type = TrainRecipe::Scheduler::constant;
    given.recipe.warmup_ratio = 0;
    given.recipe.max_steps = 1;
    given.recipe.save_strategy = saves ? TrainRecipe::Strategy::steps : TrainRecipe::Strategy::no;
    EXPECT_THAT(user_error_of([&] { run_training(std::move(given)); }),
                ::testing::AllOf(HasSubstr("step 1"), HasSubstr("infinite"),
                                 HasSubstr("--learning_rate"), HasSubstr("bfloat16")));
    EXPECT_FALSE(fs::exists(folder_ / "run/model.safetensors"));
    EXPECT_TRUE(checkpoints("run").empty());
    EXPECT_EQ(run_record("run").at("end").at("how"), "failed");
  }
}

// Evaluation data whose rows have no finite score: the run fails, and what was trained is there.
TEST_F(TrainerLife, AFailingEvaluationCostsNoTraining) {
  testing::write_poisoned_model(folder_ / "poisoned");
  for (const bool at_the_end : {true, false}) {
    fs::remove_all(folder_ / "run");
    TrainInputs given = evaluated("run");
    given.recipe.model_name_or_path = folder_ / "poisoned";
    given.recipe.save_strategy = TrainRecipe::Strategy::no;
    given.recipe.eval_steps = at_the_end ? 1000 : 4;
    auto& tokens = given.evaluation->trees[3].sequences[0].tokens;
    testing::set_token(tokens, tokens.size() - 1, 47);
    EXPECT_THAT(user_error_of([&] { run_training(std::move(given)); }), HasSubstr("rows 3"));
    EXPECT_EQ(fs::exists(folder_ / "run/model.safetensors"), at_the_end);
    EXPECT_EQ(checkpoints("run"), (std::vector<std::int64_t>{at_the_end ? 20 : 4}));
    EXPECT_EQ(run_record("run").at("end").at("how"), "failed");
  }
}

TEST_F(TrainerLife, AnEvaluationStandsOnceInTheLogs) {
  TrainInputs given = evaluated("run");
  given.recipe.max_steps = 10;
  run_training(given);
  const std::string log = read_file(folder_ / "run/trainer_log.jsonl");
  const auto lines = std::count(log.begin(), log.end(), '\n');
  for (const char* step : {"checkpoint-8", "checkpoint-10"}) {
    given.recipe.resume_from_checkpoint = (folder_ / "run" / step).string();
    run_training(given);
    const std::string again = read_file(folder_ / "run/trainer_log.jsonl");
    EXPECT_EQ(std::count(again.begin(), again.end(), '\n'), lines) << step;
  }
}

TEST_F(TrainerLife, TheBestCheckpointIsTheModel) {
  TrainInputs given = evaluated("run");
  given.recipe.load_best_model_at_end = true;
  given.recipe.greater_is_better = true;  // the loss falls: so the best is not the last
  given.recipe.eval_on_start = true;
  given.recipe.save_total_limit = 1;
  run_training(given);
  const std::vector<double> losses = evaluations("run", "eval_loss");
  ASSERT_EQ(losses.size(), 6U);  // before the first step, too
  const auto best = std::max_element(losses.begin() + 1, losses.end());
  const auto step = 4 * (best - losses.begin());
  ASSERT_NE(step, 20);
  const json found = state("run");
  EXPECT_EQ(found.at("best_metric"), *best);
  EXPECT_EQ(found.at("best_global_step"), step);
  const fs::path folder = folder_ / "run" / fmt::format("checkpoint-{}", step);
  EXPECT_EQ(found.at("best_model_checkpoint"), folder.string());
  EXPECT_THAT(checkpoints("run"), ElementsAre(step, 20));
  EXPECT_EQ(read_file(folder / "model.safetensors"), read_file(folder_ / "run/model.safetensors"));
  EXPECT_EQ(read_json(folder_ / "run/eval_results.json").at("eval_loss"), *best);

  // A run that resumes from the last one knows it.
  const std::string model = read_file(folder_ / "run/model.safetensors");
  given.recipe.resume_from_checkpoint = "true";
  run_training(given);
  EXPECT_EQ(state("run").at("best_global_step"), step);
  EXPECT_TRUE(read_file(folder_ / "run/model.safetensors") == model);
}

TEST_F(TrainerLife, ARunWithoutProgressStopsEarly) {
  TrainInputs given = evaluated("run");
  given.recipe.metric_for_best_model = "rewards/accuracies";
  given.recipe.early_stopping_patience = 2;
  given.recipe.early_stopping_threshold = 1;  // nothing is better than that
  run_training(given);
  EXPECT_EQ(state("run").at("global_step"), 12);
  EXPECT_EQ(state("run").at("stateful_callbacks").at("EarlyStoppingCallback"),
            json({{"args", {{"early_stopping_patience", 2}, {"early_stopping_threshold", 1.0}}},
                  {"attributes", {{"early_stopping_patience_counter", 2}}}}));
  EXPECT_THAT(checkpoints("run"), ElementsAre(4, 8, 12));
  EXPECT_TRUE(fs::exists(folder_ / "run/model.safetensors"));
  given.recipe.resume_from_checkpoint = "true";
  run_training(given);  // it has ended
  EXPECT_EQ(state("run").at("global_step"), 12);
}

}  // namespace
}  // namespace lmpo::trainer_life_test
