#include "train/step_runner.h"

#include <fmt/ranges.h>

#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/log.h"
#include "train/optimizer.h"
#include "train/schedule.h"

namespace lmpo {
namespace {

std::int64_t all_tokens(const Trees& batch) {
  std::size_t total = 0;
  for (const Tree* tree : batch) {
    for (const Sequence& sequence : tree->sequences) {
      total += sequence.tokens.size();
    }
  }
  return static_cast<std::int64_t>(total);
}

std::string rows_of(const Trees& batch) {
  std::vector<std::int64_t> rows;
  for (const Tree* tree : batch) {
    rows.push_back(tree->row);
  }
  return fmt::format("{}", fmt::join(rows, ", "));
}

// What the progress line shows of a step.
std::vector<std::string> step_notes(const BatchResult& result) {
  std::vector<std::string> notes = {fmt::format("loss {:.4f}", result.loss)};
  const json means = result.metrics.means();
  for (const auto& [metric, shown] : {std::pair("rewards/accuracies", "acc"), {"kl", "kl"}}) {
    if (means.contains(metric)) {
      notes.push_back(fmt::format("{} {:.2f}", shown, means.at(metric).get<double>()));
    }
  }
  return notes;
}

}  // namespace

StepRunner::StepRunner(RunSetup& setup, TrainState& state)
    : setup_(setup),
      state_(state),
      sampler_(std::ssize(setup.inputs.train.trees), sampler_options(setup.recipe())) {}

void StepRunner::restore() {
  setup_.objective->restore(state_.objective);
  sampler_.restore(state_.sampler);
}

void StepRunner::forget_times() {
  setup_.times = {};
  seconds_ = 0;
}

void StepRunner::step(Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  const Trees batch = next_batch(sampler_, setup_.inputs.train);
  setup_.weights->zero_gradients(*setup_.ops);
  BatchRunner runner(*setup_.model, *setup_.objective, recipe().skip_nonfinite);
  const BatchResult result =
      runner.train(batch, setup_.plan.train_limits(),
                   [&](const char* what, std::int64_t pack, std::int64_t packs) {
                     progress.within(fmt::format("{} {}/{}", what, pack, packs));
                   });
  if (!result.skipped.empty()) {
    progress.line(fmt::format("step {}: rows {} skipped, their scores are not finite",
                              state_.step + 1, fmt::join(result.skipped, ", ")));
  }
  if (state_.step == 0) {
    check_first_loss(result.loss);
  }
  update(result, batch, progress);
  if (result.skipped.size() < batch.size()) {
    setup_.objective->end_step(result.context, result.observations);
  }

  ++state_.step;
  state_.tokens += all_tokens(batch);
  state_.sampler = sampler_.state();
  state_.loss_total += result.loss;
  state_.loss_sum += result.loss;
  ++state_.loss_steps;
  state_.metrics.merge(result.metrics);
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress.step(std::ssize(batch), all_tokens(batch), step_notes(result));
}

// At the first step the policy is its own reference, so the loss is known: a free check of the whole
// pipeline.
void StepRunner::check_first_loss(double loss) const {
  const auto expected = setup_.objective->loss_at_reference();
  if (expected && recipe().reference_model.empty() && std::abs(loss - *expected) > 1e-12) {
    log_warning(
        "the first loss is {}, but it should be {}, because the policy is still its own reference: "
        "they differ by {:.1e}",
        loss, *expected, loss - *expected);
  }
}

void StepRunner::update(const BatchResult& result, const Trees& batch, Progress& progress) {
  const Weights& weights = *setup_.weights;
  state_.grad_norm = gradient_norm(weights, *setup_.ops);
  state_.learning_rate = recipe().learning_rate *
                         learning_rate_factor(recipe().lr_scheduler_type, state_.step,
                                              setup_.length.warmup, setup_.length.total_steps);
  if (!std::isfinite(state_.grad_norm)) {
    if (!recipe().skip_nonfinite) {
      user_error(
          "step {}: the gradient is not finite, though the losses are. Its batch has the data's "
          "rows {} (counted from 0). Lower the learning rate, or skip such steps with "
          "--skip_nonfinite",
          state_.step + 1, rows_of(batch));
    }
    progress.line(fmt::format("step {}: no update, the gradient is not finite", state_.step + 1));
    return;
  }
  if (result.skipped.size() == batch.size()) {
    return;
  }
  adamw_step(weights, *setup_.ops,
             {.beta1 = recipe().adam_beta1,
              .beta2 = recipe().adam_beta2,
              .epsilon = recipe().adam_epsilon,
              .weight_decay = recipe().weight_decay,
              .max_grad_norm = recipe().max_grad_norm},
             state_.step + 1, state_.learning_rate, state_.grad_norm);
}

}  // namespace lmpo
