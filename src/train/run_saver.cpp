#include "train/run_saver.h"

#include "base/error.h"
#include "base/log.h"
#include "model/model_folder.h"
#include "train/checkpoints.h"
#include "train/records.h"
#include "train/weight_check.h"

namespace lmpo {

fs::path RunSaver::checkpoint(std::int64_t step) const {
  return recipe().output_dir / fmt::format("checkpoint-{}", step);
}

void RunSaver::require_finite_weights() {
  if (last_checked_ == state_.step) {
    return;
  }
  const std::string broken = first_nonfinite(*setup_.weights, *setup_.ops);
  if (!broken.empty()) {
    const std::string good = last_saved_ > 0
                                 ? "The last good checkpoint is " + checkpoint(last_saved_).string()
                                 : "No checkpoint was saved before";
    const bool half = setup_.plan.storage().weights == Dtype::f16;
    user_error(
        "step {}: an update made weights infinite or NaN (first in {}), so they are not saved. {}. "
        "Lower --learning_rate, which was {:g} at this step{}",
        state_.step, broken, good, state_.learning_rate,
        half ? ", or use --dtype bfloat16: float16 holds no number above 65504" : "");
  }
  last_checked_ = state_.step;
}

void RunSaver::write_trainer_state(const fs::path& folder) const {
  const json state = trainer_state(state_, recipe(), setup_.length, setup_.weights->count());
  write_file_atomically(folder / "trainer_state.json", state.dump(2) + "\n");
}

void RunSaver::write_model(const fs::path& folder) {
  write_model_folder(folder, *setup_.weights, *setup_.ops, recipe().model_name_or_path,
                     static_cast<std::int64_t>(recipe().max_shard_size.count));
  if (!recipe().chat_template_path.empty()) {
    write_file_atomically(folder / "chat_template.jinja", recipe().chat_template());
  }
  write_trainer_state(folder);
}

void RunSaver::write_model() {
  require_finite_weights();
  write_model(recipe().output_dir);
  remove_overwritten();
}

// What an overwritten run had set aside is kept until this one has something of its own.
void RunSaver::remove_overwritten() const {
  if (recipe().overwrite_output_dir && !setup_.resume) {
    remove_set_aside(recipe().output_dir);
  }
}

void RunSaver::save_checkpoint() {
  if (last_saved_ == state_.step) {
    return;
  }
  require_finite_weights();
  state_.objective = setup_.objective->state();
  AtomicFolder folder(checkpoint(state_.step));
  write_model(folder.path());
  write_optimizer(folder.path(), *setup_.weights, *setup_.ops);
  write_train_state(folder.path(), state_);
  folder.commit();
  last_saved_ = state_.step;
  rotate_checkpoints();
  remove_overwritten();
}

// As transformers does, keeps the newest, and the best if it is to be loaded at the end.
void RunSaver::rotate_checkpoints() const {
  auto checkpoints = list_checkpoints(recipe().output_dir);
  const std::int64_t best = recipe().load_best_model_at_end ? state_.best.step : 0;
  const auto limit = recipe().save_total_limit.value_or(std::ssize(checkpoints));
  std::int64_t beyond = std::ssize(checkpoints) - limit;
  for (const auto& [step, folder] : checkpoints) {
    if (beyond <= 0 || step == last_saved_) {
      return;
    }
    if (step == best) {
      continue;
    }
    try {
      remove_checkpoint(folder);
    } catch (const std::exception& error) {
      log_warning("{}", error.what());
    }
    --beyond;
  }
}

bool RunSaver::load_best() {
  const fs::path folder = checkpoint(state_.best.step);
  try {
    verify_checkpoint(folder);
    const Checkpoint best = Checkpoint::open(folder);
    check_tensors(setup_.config, best);
    setup_.weights->load(best, *setup_.ops);
    return true;
  } catch (const UserError& error) {
    log_warning("cannot load the best checkpoint, so the trained model has the last weights: {}",
                error.what());
    return false;
  }
}

}  // namespace lmpo
