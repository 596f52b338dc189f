#include "bench/dry_run.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "objective/registry.h"
#include "train/checkpoints.h"
#include "train/examples.h"

namespace lmpo {
namespace {

constexpr double kBudget = 5;  // seconds of measuring

double tokens_of(const std::vector<Tree>& trees) {
  double tokens = 0;
  for (const Tree& tree : trees) {
    tokens += static_cast<double>(tree.input_tokens());
  }
  return tokens;
}

fs::path weights_folder(const TrainRecipe& recipe) {
  return recipe.resume_from_checkpoint.empty()
             ? recipe.model_name_or_path
             : find_checkpoint(recipe.resume_from_checkpoint, recipe.output_dir);
}

void warn_of_weights(const ModelConfig& config, const fs::path& folder) {
  try {
    check_tensors(config, Checkpoint::open(folder));
  } catch (const UserError& error) {
    log_warning("lmpo train would fail: {}", error.what());
  }
}

std::string table(const RunTime& time, const RunSpeed& speed, std::int64_t layers) {
  std::string text = fmt::format(
      "\nTime, estimated from {} {}{} with random weights in {:.1f} s\n", speed.trees,
      speed.trees == 1 ? "row" : "rows",
      speed.layers < layers ? fmt::format(" and {} of {} layers", speed.layers, layers) : "",
      speed.took);
  const auto line = [&](const char* what, double seconds, const std::string& how) {
    text += fmt::format("  {:<28}{:>12}  {}\n", what, readable_time(seconds), how);
  };
  line("steps", time.steps * time.step,
       fmt::format("{:.0f} {}, {:.3g} s each", time.steps, time.steps == 1 ? "step" : "steps",
                   time.step));
  if (time.evaluations > 0) {
    line("evaluation", time.evaluations * time.evaluation,
         fmt::format("{:.0f}, {:.3g} s each", time.evaluations, time.evaluation));
  }
  if (time.reference > 0) {
    line("reference scores", time.reference, "once, unless they are cached");
  }
  line("total", time.total(), "without reading and writing");
  return text;
}

}  // namespace

DryRun::DryRun(TrainInputs& inputs) : inputs_(inputs) {
  const TrainRecipe& recipe = inputs.recipe;
  const fs::path weights = weights_folder(recipe);
  config_ = read_model_config(weights);
  warn_of_weights(config_, weights);
  objective_ = make_objective(recipe.objective, recipe.objective_options);
  prepare_examples(inputs.train.trees, *objective_, recipe.data.max_length);
  if (inputs.evaluation) {
    prepare_examples(inputs.evaluation->trees, *objective_, recipe.data.max_length);
  }
  length_.emplace(recipe, std::ssize(inputs.train.trees));
  device_ = open_device(recipe.device);
  ops_ = device_->make_ops(compute_type(*device_, recipe.compute));
  plan_.emplace(inputs_, config_, *length_, *device_, *ops_);
  plan_->log();
}

RunTime DryRun::time_at(const RunSpeed& speed) const {
  const double train_tokens = tokens_of(inputs_.train.trees);
  const double eval_tokens = inputs_.evaluation ? tokens_of(inputs_.evaluation->trees) : 0;
  RunTime time;
  time.steps = static_cast<double>(length_->total_steps);
  const double step_tokens = train_tokens / static_cast<double>(length_->steps_per_epoch);
  time.step = step_tokens * speed.train + speed.optimizer;
  time.evaluation = eval_tokens * speed.score;
  if (inputs_.evaluation) {
    const std::int64_t between = length_->eval_steps;
    time.evaluations =
        static_cast<double>(between == 0 ? 1 : (length_->total_steps + between - 1) / between);
  }
  if (objective_->needs_reference()) {
    time.reference = (train_tokens + eval_tokens) * speed.score;
  }
  return time;
}

std::string DryRun::time_table() const {
  const auto limit = static_cast<std::size_t>(inputs_.recipe.max_memory.count);
  if (!fits_in_memory(plan_->memory(), *device_, limit)) {
    log_warning("the run does not fit into memory: its time was not measured");
    return "";
  }
  try {
    const RunSpeed speed = measure_run_speed(
        config_, *device_, *ops_, inputs_.train.trees,
        {plan_->storage(), plan_->model_options().recompute, plan_->train_limits()}, kBudget);
    return table(time_at(speed), speed, config_.layers);
  } catch (const UserError& error) {
    log_warning("the run's time was not measured: {}", error.what());
    return "";
  }
}

}  // namespace lmpo
