#include "cli/dry_run.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/error.h"
#include "bench/run_speed.h"
#include "objective/registry.h"
#include "train/checkpoints.h"
#include "train/examples.h"
#include "train/progress.h"
#include "train/run_plan.h"

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

// A run by its parts.
struct Estimate {
  double step = 0;
  double steps = 0;
  double evaluation = 0;  // each
  double evaluations = 0;
  double reference = 0;

  double total() const { return steps * step + evaluations * evaluation + reference; }
};

Estimate estimate(const RunSpeed& speed, const TrainInputs& inputs, const Objective& objective,
                  const RunLength& length) {
  const double train_tokens = tokens_of(inputs.train.trees);
  const double eval_tokens = inputs.evaluation ? tokens_of(inputs.evaluation->trees) : 0;
  Estimate estimate;
  estimate.steps = static_cast<double>(length.total_steps);
  const double tokens = train_tokens / static_cast<double>(length.steps_per_epoch);  // of a step
  estimate.step = tokens * speed.train + speed.optimizer;
  estimate.evaluation = eval_tokens * speed.score;
  if (inputs.evaluation) {
    const std::int64_t between = length.eval_steps;
    estimate.evaluations =
        static_cast<double>(between == 0 ? 1 : (length.total_steps + between - 1) / between);
  }
  if (objective.needs_reference()) {
    estimate.reference = (train_tokens + eval_tokens) * speed.score;
  }
  return estimate;
}

void print_time(const Estimate& time, const RunSpeed& speed, std::int64_t layers) {
  fmt::print("\nTime, estimated from {} {}{} with random weights in {:.1f} s\n", speed.trees,
             speed.trees == 1 ? "row" : "rows",
             speed.layers < layers ? fmt::format(" and {} of {} layers", speed.layers, layers) : "",
             speed.took);
  const auto line = [](const char* what, double seconds, const std::string& how) {
    fmt::print("  {:<28}{:>12}  {}\n", what, readable_time(seconds), how);
  };
  line("steps", time.steps * time.step,
       fmt::format("{:.0f} {}, {:.3g} s each", time.steps, time.steps == 1 ? "step" : "steps",
                   time.step));
  if (time.evaluations > 0) {
    line("evaluation", time.evaluations * time.evaluation,
         fmt::format("{:.0f}, {:.3g} s each", time.evaluations, time.evaluation));
  }
  if (time.reference > 0) {
    line("the reference's scores", time.reference, "once, unless they are kept already");
  }
  line("total", time.total(), "without reading and writing");
}

// A plan needs config.json alone; training would be refused.
void warn_of_weights(const ModelConfig& config, const fs::path& folder) {
  try {
    check_tensors(config, Checkpoint::open(folder));
  } catch (const UserError& error) {
    log_warning("lmpo train would be refused: {}", error.what());
  }
}

}  // namespace

void show_dry_run(TrainInputs& inputs, const OptionSet& options) {
  const TrainRecipe& recipe = inputs.recipe;
  fmt::print("{}\nMemory\n", options.settings());
  std::fflush(stdout);  // before what is logged
  const bool resumes = !recipe.resume_from_checkpoint.empty();
  const fs::path weights = resumes
                               ? find_checkpoint(recipe.resume_from_checkpoint, recipe.output_dir)
                               : recipe.model_name_or_path;
  const ModelConfig config = read_model_config(weights);
  warn_of_weights(config, weights);
  const auto objective = make_objective(recipe.objective, recipe.objective_options);
  prepare_examples(inputs.train.trees, *objective, recipe.data.max_length);
  if (inputs.evaluation) {
    prepare_examples(inputs.evaluation->trees, *objective, recipe.data.max_length);
  }
  const RunLength length(recipe, std::ssize(inputs.train.trees));
  const std::unique_ptr<Device> device = open_device(recipe.device);
  const std::unique_ptr<Ops> ops = device->make_ops(compute_type(*device, recipe.compute));
  const RunPlan plan(inputs, config, length, *device, *ops);
  plan.log();
  fmt::print("{}", plan.memory().table());
  std::fflush(stdout);
  if (!recipe.time_estimate) {
    return;
  }
  if (!fits_in_memory(plan.memory(), *device, static_cast<std::size_t>(recipe.max_memory.count))) {
    log_warning("the run does not fit into memory: its time was not measured");
    return;
  }
  try {
    const RunSpeed speed = measure_run_speed(
        config, *device, *ops, inputs.train.trees,
        {plan.storage(), plan.model_options().recompute, plan.train_limits()}, kBudget);
    print_time(estimate(speed, inputs, *objective, length), speed, config.layers);
  } catch (const UserError& error) {
    log_warning("the run's time was not measured: {}", error.what());
  }
}

}  // namespace lmpo
