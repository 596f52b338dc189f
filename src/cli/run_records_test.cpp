// What training runs leave on disk: checkpoints, logs and records.
#include <cmath>
#include <set>

#include "cli/testing/training_runs.h"

namespace lmpo::run_records_test {
namespace {

using ::testing::UnorderedElementsAre;

TEST_F(TrainingRuns, KeepsTheNewestCheckpoints) {
  const fs::path out = path("out");
  succeed(train(out, {"--max_steps", "11", "--save_steps", "2", "--save_total_limit", "2"}));
  const std::set<std::string> names = listing(out);
  EXPECT_TRUE(names.contains("checkpoint-10") && names.contains("checkpoint-11"));
  EXPECT_FALSE(names.contains("checkpoint-8"));
  EXPECT_EQ(
      listing(out / "checkpoint-11"),
      (std::set<std::string>{kWeights, "optimizer.safetensors", "lmpo_state.json",
                             "trainer_state.json", "config.json", "generation_config.json",
                             "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"}));
}

TEST_F(TrainingRuns, RecordsAreNamedAsInTheEcosystem) {
  const fs::path out = path("out");
  succeed(train(out, {"--max_steps", "6", "--logging_steps", "2", "--eval_strategy", "steps",
                      "--eval_steps", "3", "--save_steps", "4", "--eval_dataset",
                      world("held_out_preferences.jsonl").string()}));
  EXPECT_THAT(
      listing(out),
      UnorderedElementsAre(kWeights, "config.json", "generation_config.json", "tokenizer.json",
                           "tokenizer_config.json", "chat_template.jinja", "trainer_state.json",
                           "trainer_log.jsonl", "train_results.json", "eval_results.json",
                           "all_results.json", "lmpo_run.json", "training_curves.svg", "README.md",
                           "eval_samples.jsonl", "runs", "checkpoint-4", "checkpoint-6"));
  const json state = read_state(out);
  EXPECT_THAT(key_set(state),
              UnorderedElementsAre(
                  "epoch", "global_step", "max_steps", "logging_steps", "eval_steps", "save_steps",
                  "train_batch_size", "num_train_epochs", "num_input_tokens_seen", "total_flos",
                  "log_history", "best_metric", "best_global_step", "best_model_checkpoint",
                  "is_local_process_zero", "is_world_process_zero", "is_hyper_param_search",
                  "trial_name", "trial_params", "stateful_callbacks"));
  EXPECT_EQ(read_file(out / "trainer_state.json"), state.dump(2) + "\n");  // sorted, indent 2
  EXPECT_EQ(state["global_step"], 6);
  EXPECT_EQ(state["max_steps"], 6);
  EXPECT_EQ(state["logging_steps"], 2);
  EXPECT_EQ(state["eval_steps"], 3);
  EXPECT_EQ(state["save_steps"], 4);
  EXPECT_EQ(state["train_batch_size"], 4);
  EXPECT_EQ(state["num_train_epochs"], 1);
  EXPECT_DOUBLE_EQ(state["epoch"].get<double>(), 0.5);  // 6 of 12 batches of 4 in 48 rows

  const json& history = state["log_history"];
  std::vector<std::string> order;
  for (const json& entry : history) {
    order.push_back(fmt::format("{}{}", entry["step"].get<int>(),
                                entry.contains("eval_loss")    ? "e"
                                : entry.contains("train_loss") ? "end"
                                                               : ""));
  }
  EXPECT_EQ(order, (Words{"2", "3e", "4", "6", "6e", "6end"}));
  const std::set<std::string> metrics = {"rewards/chosen",         "rewards/rejected",
                                         "rewards/margins",        "rewards/accuracies",
                                         "logps/chosen",           "logps/rejected",
                                         "logps_per_token/chosen", "logps_per_token/rejected",
                                         "logps_sum/chosen",       "logps_sum/rejected",
                                         "lmpo/margin_mean",       "lmpo/margin_std",
                                         "lmpo/margin_term",       "lengths/chosen",
                                         "lengths/rejected"};
  std::set<std::string> trained = key_set(history[0]);
  for (const char* name : {"loss", "grad_norm", "learning_rate", "num_tokens", "epoch", "step"}) {
    EXPECT_EQ(trained.count(name), 1U) << name;
  }
  for (const std::string& name : metrics) {
    EXPECT_EQ(trained.count(name), 1U) << name;
    EXPECT_EQ(history[1].count("eval_" + name), 1U) << name;
  }
  EXPECT_THAT(key_set(history[5]),
              ::testing::IsSupersetOf({"train_loss", "train_runtime", "train_samples_per_second",
                                       "train_steps_per_second", "epoch", "step"}));

  const json train_results = json::parse(read_file(out / "train_results.json"));
  const json eval_results = json::parse(read_file(out / "eval_results.json"));
  EXPECT_THAT(key_set(train_results),
              ::testing::IsSupersetOf({"epoch", "train_loss", "train_runtime", "train_samples",
                                       "train_samples_per_second", "train_steps_per_second"}));
  EXPECT_THAT(key_set(eval_results),
              ::testing::IsSupersetOf({"epoch", "eval_loss", "eval_runtime", "eval_samples",
                                       "eval_samples_per_second", "eval_steps_per_second",
                                       "eval_rewards/accuracies"}));
  json all = eval_results;
  all.update(train_results);
  EXPECT_EQ(json::parse(read_file(out / "all_results.json")), all);
  EXPECT_NEAR(train_results["train_loss"].get<double>(),
              (history[0]["loss"].get<double>() + history[2]["loss"].get<double>() +
               history[3]["loss"].get<double>()) /
                  3,
              1e-12);
}

TEST_F(TrainingRuns, TheLogHasTheNamesOfLlamaFactory) {
  const fs::path out = path("out");
  succeed(train(out, {"--max_steps", "2", "--eval_strategy", "steps", "--eval_steps", "2",
                      "--eval_dataset", world("held_out_preferences.jsonl").string()}));
  const std::vector<json> lines = json_lines(read_file(out / "trainer_log.jsonl"));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_THAT(
      key_set(lines[0]),
      ::testing::IsSupersetOf({"current_steps", "total_steps", "loss", "reward", "accuracy", "lr",
                               "epoch", "percentage", "elapsed_time", "remaining_time",
                               "throughput", "total_tokens", "rewards/margins", "grad_norm"}));
  EXPECT_THAT(key_set(lines[2]),
              ::testing::IsSupersetOf({"current_steps", "total_steps", "eval_loss", "epoch",
                                       "percentage", "elapsed_time", "remaining_time", "throughput",
                                       "total_tokens", "eval_rewards/margins"}));
  // Nothing is there twice.
  EXPECT_THAT(key_set(lines[0]), ::testing::Not(::testing::Contains("rewards/chosen")));
  EXPECT_EQ(lines[0]["percentage"], 50.0);
  EXPECT_THAT(lines[0]["elapsed_time"].get<std::string>(),
              ::testing::ContainsRegex("^[0-9]+:[0-9]"));
}

// The schedule of the learning rate, by its own formula: 3 steps up, then a straight line down.
TEST_F(TrainingRuns, MaxStepsAndTheLearningRate) {
  const fs::path out = path("out");
  succeed(train(out,
                {"--max_steps", "7", "--num_train_epochs", "50", "--lr_scheduler_type", "linear"}));
  const json history = read_state(out)["log_history"];
  ASSERT_EQ(history.size(), 8U);
  const double factors[] = {0, 1.0 / 3, 2.0 / 3, 1, 3.0 / 4, 2.0 / 4, 1.0 / 4};
  for (std::size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(history[i]["step"], i + 1);
    EXPECT_NEAR(history[i]["learning_rate"].get<double>(), 1e-3 * factors[i], 1e-15);
  }
}

// What evaluation says of the trained model follows from the scores of its responses.
TEST_F(TrainingRuns, EvaluationAgreesWithScore) {
  const fs::path out = path("out");
  const fs::path data = world("held_out_preferences.jsonl");
  succeed(train(out, {"--objective", "simpo", "--beta", "3", "--gamma", "0.6", "--max_steps", "5",
                      "--eval_dataset", data.string(), "--per_device_eval_batch_size", "3"}));
  const Result scored = succeed({"score", "-m", out.string(), "--data", data.string()});
  double loss = 0;
  double right = 0;
  double chosen = 0;
  const std::vector<json> lines = json_lines(scored.out);
  const auto rows = static_cast<double>(lines.size());
  for (const json& line : lines) {
    const double a = line["chosen_logp"].get<double>() / line["chosen_tokens"].get<double>();
    const double b = line["rejected_logp"].get<double>() / line["rejected_tokens"].get<double>();
    loss += std::log1p(std::exp(-(3 * (a - b) - 0.6))) / rows;
    right += (a > b ? 1 : 0) / rows;
    chosen += a / rows;
  }
  const json results = json::parse(read_file(out / "eval_results.json"));
  EXPECT_NEAR(results["eval_loss"].get<double>(), loss, 1e-6);
  EXPECT_NEAR(results["eval_rewards/accuracies"].get<double>(), right, 1e-9);
  EXPECT_NEAR(results["eval_logps/chosen"].get<double>(), chosen, 1e-6);
  EXPECT_EQ(results["eval_samples"], 8);
}

}  // namespace
}  // namespace lmpo::run_records_test
