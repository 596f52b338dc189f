#include "example/training_flags.h"

namespace lmpo {

std::vector<std::string> sft_flags() {
  return {"--learning_rate",
          "2e-3",
          "--lr_scheduler_type",
          "cosine",
          "--warmup_ratio",
          "0.1",
          "--num_train_epochs",
          "8",
          "--per_device_train_batch_size",
          "64",
          "--recompute",
          "none",
          "--logging_steps",
          "50",
          "--save_strategy",
          "no"};
}

std::vector<std::string> preference_flags() {
  return {"--lr_scheduler_type",
          "cosine",
          "--warmup_ratio",
          "0.1",
          "--per_device_train_batch_size",
          "64",
          "--per_device_eval_batch_size",
          "64",
          "--recompute",
          "none",
          "--logging_steps",
          "5",
          "--eval_strategy",
          "steps",
          "--eval_steps",
          "25",
          "--save_strategy",
          "no"};
}

std::vector<std::string> sft_arguments(const fs::path& folder, std::int64_t seed) {
  std::vector<std::string> words = {"--model",      (folder / "random").string(),
                                    "--data",       (folder / "world/answers.jsonl").string(),
                                    "--output_dir", (folder / "sft").string(),
                                    "--seed",       std::to_string(seed)};
  const std::vector<std::string> flags = sft_flags();
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

std::vector<std::string> preference_arguments(const fs::path& folder, const std::string& objective,
                                              std::int64_t seed) {
  std::vector<std::string> words = {"--objective",
                                    objective,
                                    "--beta",
                                    "10",
                                    "--learning_rate",
                                    "1e-4",
                                    "--num_train_epochs",
                                    "2",
                                    "--model",
                                    (folder / "sft").string(),
                                    "--data",
                                    (folder / "world/preferences.jsonl").string(),
                                    "--eval_dataset",
                                    (folder / "world/held_out_preferences.jsonl").string(),
                                    "--output_dir",
                                    (folder / objective).string(),
                                    "--seed",
                                    std::to_string(seed)};
  const std::vector<std::string> flags = preference_flags();
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

}  // namespace lmpo
