// Whole runs: what must not depend on how a run is cut, and what it leaves behind.
#include "train/trainer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "io/safetensors.h"
#include "objective/registry.h"
#include "train/checkpoints.h"
#include "train/testing/poisoned_model.h"
#include "train/testing/small_run.h"
#include "train/train_state.h"
#include "tree/testing.h"

namespace lmpo::trainer_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Layout {
  std::int64_t micro_batch;
  std::int64_t accumulation;
  std::int64_t pack_tokens;
  std::string recompute;
};

struct Method {
  std::string objective;
  ZscoreMode zscore;
};

// For the name of a test.
void PrintTo(const Method& method, std::ostream* out) {
  *out << method.objective;
}

class TrainerLayout : public lmpo::testing::SmallRun, public ::testing::WithParamInterface<Method> {
 protected:
  std::vector<double> run(const Layout& layout) const {
    TrainInputs given = inputs("run", GetParam().objective);
    given.recipe.objective_options.zscore = GetParam().zscore;
    given.recipe.learning_rate = 1e-4;
    given.recipe.per_device_train_batch_size = layout.micro_batch;
    given.recipe.gradient_accumulation_steps = layout.accumulation;
    given.recipe.max_pack_tokens = layout.pack_tokens;
    given.recipe.recompute = layout.recompute;
    fs::remove_all(folder_ / "run");
    EXPECT_EQ(run_training(std::move(given)), TrainOutcome::done);
    return losses("run");
  }
};

std::vector<Method> methods() {
  std::vector<Method> all = {
      {"lmpo", ZscoreMode::none}, {"lmpo", ZscoreMode::running}, {"lmpo", ZscoreMode::code}};
  for (const ObjectiveInfo& info : objectives()) {
    all.push_back({std::string(info.name), ZscoreMode::ema});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Objectives, TrainerLayout, ::testing::ValuesIn(methods()),
                         [](const auto& given) {
                           return given.param.objective + "_" +
                                  std::string(choice_names(
                                      ZscoreMode{})[static_cast<std::size_t>(given.param.zscore)]);
                         });

TEST_P(TrainerLayout, NeverChangesTheLosses) {
  const std::vector<double> truth = run({8, 1, 0, "none"});
  ASSERT_EQ(truth.size(), GetParam().objective == "kto" ? 40u : 20u);  // pairs are taken apart
  EXPECT_NE(truth.front(), truth.back());                              // it does train
  for (const Layout& layout :
       {Layout{1, 8, 0, "none"}, Layout{2, 4, 0, "layers"}, Layout{8, 1, 0, "mlp"},
        Layout{8, 1, 60, "none"}, Layout{4, 2, 150, "layers"}}) {
    const std::vector<double> other = run(layout);
    ASSERT_EQ(other.size(), truth.size());
    for (std::size_t i = 0; i < truth.size(); ++i) {
      EXPECT_NEAR(other[i], truth[i], 1e-6 * std::max(std::abs(truth[i]), 0.1))
          << "step " << i + 1 << ", micro-batch " << layout.micro_batch << ", pack "
          << layout.pack_tokens;
    }
  }
}

struct Storage {
  std::string dtype;
  ZscoreMode zscore;
  std::string objective = "lmpo";
  std::string optim = "adamw_torch";
  std::string model = "llama";
};

void PrintTo(const Storage& storage, std::ostream* out) {
  *out << storage.dtype;
}

class TrainerResume : public lmpo::testing::SmallRun,
                      public ::testing::WithParamInterface<Storage> {
 protected:
  TrainInputs resumable(const std::string& name) const {
    TrainInputs given = inputs(name, GetParam().objective);
    given.recipe.model_name_or_path = lmpo::testing::small_model(GetParam().model);
    given.recipe.dtype = GetParam().dtype;
    given.recipe.optim = GetParam().optim;
    given.recipe.objective_options.zscore = GetParam().zscore;
    given.recipe.max_steps = 20;
    given.recipe.logging_steps = 3;  // so that sums are in flight at the checkpoint
    given.recipe.save_strategy = TrainRecipe::Strategy::steps;
    given.recipe.save_steps = 7;
    given.evaluation = lmpo::testing::dataset_of(lmpo::testing::random_trees(10));
    given.recipe.eval_strategy = TrainRecipe::Strategy::steps;
    return given;
  }
};

INSTANTIATE_TEST_SUITE_P(
    Types, TrainerResume,
    ::testing::Values(Storage{"float32", ZscoreMode::ema}, Storage{"bfloat16", ZscoreMode::running},
                      Storage{"float16", ZscoreMode::code},
                      Storage{"float32", ZscoreMode::none, "kto"},
                      Storage{"bfloat16", ZscoreMode::none, "dpo"},
                      Storage{"float32", ZscoreMode::none, "simpo", "adamw_8bit"},
                      Storage{"bfloat16", ZscoreMode::none, "simpo", "paged_adamw_8bit"},
                      Storage{"bfloat16", ZscoreMode::none, "orpo", "adamw_8bit", "llama_bias"}),
    [](const auto& given) {
      return given.param.dtype + "_" + given.param.objective + "_" + given.param.optim + "_" +
             given.param.model;
    });

TEST_P(TrainerResume, EndsInTheSameBytes) {
  run_training(resumable("whole"));
  fs::create_directories(folder_ / "resumed");
  fs::copy(folder_ / "whole/checkpoint-7", folder_ / "resumed/checkpoint-7",
           fs::copy_options::recursive);
  TrainInputs second = resumable("resumed");
  second.recipe.resume_from_checkpoint = "true";
  run_training(std::move(second));
  for (const char* file : {"model.safetensors", "checkpoint-14/optimizer.safetensors",
                           "checkpoint-20/optimizer.safetensors", "checkpoint-20/model.safetensors",
                           "checkpoint-20/lmpo_state.json"}) {
    EXPECT_EQ(read_file(folder_ / "whole" / file), read_file(folder_ / "resumed" / file)) << file;
  }
  EXPECT_NE(read_file(folder_ / "whole/model.safetensors"),
            read_file(folder_ / "whole/checkpoint-7/model.safetensors"));
}

using TrainerRun = lmpo::testing::SmallRun;

TEST_F(TrainerRun, WhereTheMomentsAreChangesNothing) {
  for (const std::string bits : {"adamw_torch", "paged_adamw_32bit"}) {
    TrainInputs given = inputs(bits);
    given.recipe.optim = bits;
    EXPECT_EQ(run_training(std::move(given)), TrainOutcome::done);
  }
  EXPECT_EQ(read_file(folder_ / "adamw_torch/model.safetensors"),
            read_file(folder_ / "paged_adamw_32bit/model.safetensors"));
  const auto memory = [&](const std::string& name) {
    return read_json(folder_ / name / "lmpo_run.json")["memory"]["arena"].get<std::size_t>();
  };
  EXPECT_LT(memory("paged_adamw_32bit"), memory("adamw_torch"));
}

TEST_F(TrainerRun, EvaluationChangesNothing) {
  run_training(inputs("plain"));
  TrainInputs evaluated = inputs("evaluated");
  evaluated.evaluation = lmpo::testing::dataset_of(lmpo::testing::random_trees(30));
  evaluated.recipe.eval_strategy = TrainRecipe::Strategy::steps;
  evaluated.recipe.eval_steps = 1;
  run_training(std::move(evaluated));
  EXPECT_EQ(read_file(folder_ / "plain/model.safetensors"),
            read_file(folder_ / "evaluated/model.safetensors"));
}

// Weights that stand still have one eval_loss, though the statistics of the training batches move.
TEST_F(TrainerRun, AnEvaluationMovesWithTheModelAlone) {
  for (const ZscoreMode mode : {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code}) {
    TrainInputs given = inputs("run");
    given.recipe.objective_options.zscore = mode;
    given.recipe.learning_rate = 0;
    given.recipe.max_steps = 3;
    given.recipe.eval_strategy = TrainRecipe::Strategy::steps;
    given.recipe.eval_steps = 1;
    given.evaluation = lmpo::testing::dataset_of(lmpo::testing::random_trees(10));
    fs::remove_all(folder_ / "run");
    run_training(std::move(given));
    std::vector<double> evaluations;
    std::set<double> training_means;
    const json trained = state("run");
    for (const json& entry : trained.at("log_history")) {
      if (entry.contains("eval_loss")) {
        evaluations.push_back(entry["eval_loss"]);
      } else if (entry.contains("lmpo/margin_mean")) {
        training_means.insert(entry["lmpo/margin_mean"].get<double>());
      }
    }
    ASSERT_EQ(evaluations.size(), 3u);
    EXPECT_THAT(evaluations, Each(evaluations[0]));
    EXPECT_GT(training_means.size(), 1u);  // they did move
  }
}

TEST_F(TrainerRun, LeavesItsRecords) {
  TrainInputs given = inputs("run");
  given.evaluation = lmpo::testing::dataset_of(lmpo::testing::random_trees(10));
  given.recipe.save_strategy = TrainRecipe::Strategy::steps;
  given.recipe.save_steps = 4;
  given.recipe.save_total_limit = 2;
  run_training(std::move(given));
  const fs::path run = folder_ / "run";
  std::vector<std::int64_t> steps;
  for (const auto& [step, path] : list_checkpoints(run)) {
    steps.push_back(step);
  }
  EXPECT_THAT(steps, ElementsAre(16, 20));
  const json trained = read_json(run / "trainer_state.json");
  EXPECT_EQ(trained.at("global_step"), 20);
  EXPECT_EQ(trained.at("epoch"), 2.0);
  const json& first = trained.at("log_history")[0];
  for (const char* name : {"loss", "grad_norm", "learning_rate", "epoch", "step", "num_tokens",
                           "rewards/chosen", "rewards/rejected", "rewards/accuracies",
                           "rewards/margins", "logps/chosen", "logps/rejected"}) {
    EXPECT_TRUE(first.contains(name)) << name;
  }
  const json all = read_json(run / "all_results.json");
  for (const char* name : {"train_loss", "train_runtime", "train_samples_per_second",
                           "train_steps_per_second", "eval_loss", "eval_rewards/accuracies"}) {
    EXPECT_TRUE(all.contains(name)) << name;
  }
  const std::string log = read_file(run / "trainer_log.jsonl");
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 21);  // 20 steps and the evaluation
}

TEST_F(TrainerRun, TooLittleMemoryIsRefusedWithThePlan) {
  TrainInputs given = inputs("run");
  given.recipe.max_memory = {1000};
  const std::string message = user_error_of([&] { run_training(std::move(given)); });
  EXPECT_THAT(message, HasSubstr("total"));
  EXPECT_THAT(message, HasSubstr("weights"));
  EXPECT_TRUE(listing().empty());
}

// Neither the data nor the learning rate is to blame for weights that were never numbers.
TEST_F(TrainerRun, WeightsThatAreNotFiniteAreNamedBeforeTheFirstStep) {
  const fs::path model = folder_ / "damaged";
  fs::copy(lmpo::testing::small_model(), model);
  const SafetensorsFile file(model / "model.safetensors");
  const StoredTensor* damaged = file.find("model.layers.1.mlp.down_proj.weight");
  std::string bytes = read_file(model / "model.safetensors");
  for (const std::size_t element : {3U, 100U}) {
    const float value = element == 3 ? std::nanf("") : -HUGE_VALF;
    bytes.replace(damaged->begin + element * sizeof value, sizeof value,
                  std::string(reinterpret_cast<const char*>(&value), sizeof value));
  }
  write_file_atomically(model / "model.safetensors", bytes);
  for (const char* objective : {"lmpo", "dpo"}) {
    TrainInputs given = inputs("run", objective);
    given.recipe.model_name_or_path = model;
    const std::string message = user_error_of([&] { run_training(std::move(given)); });
    EXPECT_THAT(message, HasSubstr("model.layers.1.mlp.down_proj.weight (2 of 960)"));
    EXPECT_THAT(message, ::testing::Not(HasSubstr("rows")));
    EXPECT_FALSE(fs::exists(folder_ / "run"));
  }
}

// A batch of which nothing is left moves neither weights nor statistics, at the start of a run and
// later.
TEST_F(TrainerRun, ABatchLeftOutIsNoStep) {
  testing::write_poisoned_model(folder_ / "poisoned");
  for (const ZscoreMode mode : {ZscoreMode::ema, ZscoreMode::running, ZscoreMode::code}) {
    fs::remove_all(folder_ / "run");
    TrainInputs given = inputs("run");
    given.recipe.objective_options.zscore = mode;
    given.recipe.model_name_or_path = folder_ / "poisoned";
    given.recipe.skip_nonfinite = true;
    given.recipe.max_steps = 5;
    given.recipe.train_sampling_strategy = TrainRecipe::Sampling::sequential;
    given.recipe.save_strategy = TrainRecipe::Strategy::steps;
    given.recipe.save_steps = 1;
    for (const std::size_t batch : {0UL, 3UL}) {
      for (std::size_t row = 8 * batch; row < 8 * batch + 8; ++row) {
        for (Sequence& sequence : given.train.trees[row].sequences) {
          testing::set_token(sequence.tokens, sequence.tokens.size() - 1, 47);
        }
      }
    }
    run_training(std::move(given));
    const std::vector<double> found = losses("run");
    EXPECT_EQ(found.at(0), 0);
    EXPECT_GT(found.at(1), 0);
    EXPECT_EQ(found.at(3), 0);
    EXPECT_GT(found.at(4), 0);
    const fs::path third = folder_ / "run/checkpoint-3";
    const fs::path fourth = folder_ / "run/checkpoint-4";
    EXPECT_EQ(read_file(third / "optimizer.safetensors"),
              read_file(fourth / "optimizer.safetensors"));
    EXPECT_EQ(read_train_state(third).objective, read_train_state(fourth).objective);
  }
}

TEST_F(TrainerRun, OtherDataCannotBeResumed) {
  TrainInputs given = inputs("run");
  given.recipe.save_strategy = TrainRecipe::Strategy::epoch;
  run_training(std::move(given));
  TrainInputs other = inputs("run");
  other.recipe.resume_from_checkpoint = (folder_ / "run/checkpoint-10").string();
  testing::edit(other.train.trees[3].sequences[0].tokens, [](auto& ids) { ids.back() ^= 1; });
  EXPECT_THAT(user_error_of([&] { run_training(std::move(other)); }), HasSubstr("other data"));
}

}  // namespace
}  // namespace lmpo::trainer_test
