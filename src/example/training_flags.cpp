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

}  // namespace lmpo
