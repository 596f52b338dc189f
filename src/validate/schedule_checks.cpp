// Checks of batches, steps and the learning rate.
#include <fmt/format.h>

#include <algorithm>

#include "base/readable.h"
#include "inspect/checkpoint_facts.h"
#include "objective/registry.h"
#include "validate/checks.h"

namespace lmpo {
namespace {

// A value this many times outside the published range is far from it.
constexpr double kFar = 5;
// Parameters. The published runs have 7 to 9 billion; smaller models take larger learning rates.
constexpr std::int64_t kLargeModel = 1'000'000'000;

std::int64_t batch_of(const RunFacts& facts) {
  return facts.recipe.train_batch_size();
}

bool is_small(const std::optional<ModelConfig>& model) {
  return model && parameter_count(*model) < kLargeModel;
}

std::string range_text(double low, double high) {
  return low == high ? fmt::format("{:.3g}", low) : fmt::format("{:.3g} to {:.3g}", low, high);
}

// The effect of a batch that is `times` smaller than the published one.
std::string about_rate(double times) {
  return times > 1 ? fmt::format(
                         "a batch {:.3g} times smaller means {:.3g} times as many steps with "
                         "noisier gradients, so the published learning rate is rather high",
                         times, times)
                   : fmt::format(
                         "a batch {:.3g} times larger means fewer steps, so the published learning "
                         "rate is rather low",
                         1 / times);
}

}  // namespace

void check_batches(const RunFacts& facts, Findings& findings) {
  if (!facts.length || !facts.train) {
    return;
  }
  const TrainRecipe& recipe = facts.recipe;
  const std::int64_t batch = batch_of(facts);
  findings.note("steps", facts.where(recipe.max_steps > 0 ? "max_steps" : "num_train_epochs"),
                fmt::format("{} of {} ({} micro-batch{} of {}); {} per epoch; warm-up {}",
                            counted(facts.length->total_steps, "step"), counted(batch, "example"),
                            recipe.gradient_accumulation_steps,
                            recipe.gradient_accumulation_steps == 1 ? "" : "es",
                            recipe.per_device_train_batch_size, facts.length->steps_per_epoch,
                            counted(facts.length->warmup, "step")),
                "the micro-batch size never changes the result: choose it by memory alone");
  const std::int64_t last = facts.train->examples % batch;
  if (facts.train->examples < batch) {
    findings.warning(
        "batch_exceeds_rows", facts.where("gradient_accumulation_steps"),
        fmt::format("the data has {}, but a step takes {}: every step uses all of them",
                    counted(facts.train->examples, "example"), batch),
        "use a smaller batch or more data");
  } else if (last > 0 && facts.length->total_steps >= facts.length->steps_per_epoch) {
    findings.note(
        "last_batch_partial", facts.where("gradient_accumulation_steps"),
        recipe.dataloader_drop_last
            ? fmt::format("each epoch skips the last {}, which would not fill a batch",
                          counted(last, "example"))
            : fmt::format("the last batch of an epoch has {} of {} examples; its step counts as "
                          "much as the others",
                          last, batch),
        recipe.dataloader_drop_last ? "no action needed: each epoch skips other examples"
                                    : "to skip it, set dataloader_drop_last: true");
  }
}

void check_published_batch(const RunFacts& facts, Findings& findings) {
  const PublishedRuns& published = find_objective(facts.recipe.objective).published;
  const std::int64_t batch = batch_of(facts);
  if (published.batch == 0 || batch == published.batch) {
    return;
  }
  const double times = static_cast<double>(published.batch) / static_cast<double>(batch);
  const bool far = times >= kFar || times * kFar <= 1;
  const std::string what = fmt::format(
      "a step has {} ({} x {}); the published runs of {} had {} ({})", counted(batch, "example"),
      facts.recipe.per_device_train_batch_size, facts.recipe.gradient_accumulation_steps,
      facts.recipe.objective, published.batch, published.source);
  if (is_small(facts.model)) {
    if (far) {
      findings.note("batch_not_published", facts.where("gradient_accumulation_steps"),
                    what + "; " + about_rate(times), "no action needed if the loss falls steadily");
    }
    return;
  }
  // The published recipes give the share of one of several GPUs.
  findings.warning(
      "batch_not_published", facts.where("gradient_accumulation_steps"),
      what + "; " + (far ? about_rate(times) : "a different batch size changes the results"),
      published.batch % facts.recipe.per_device_train_batch_size == 0
          ? fmt::format(
                "set gradient_accumulation_steps to {}: recipes for several GPUs name the share "
                "of one",
                published.batch / facts.recipe.per_device_train_batch_size)
          : fmt::format("set gradient_accumulation_steps so that the product is {}",
                        published.batch));
}

void check_learning_rate(const RunFacts& facts, Findings& findings) {
  const PublishedRuns& published = find_objective(facts.recipe.objective).published;
  const double rate = facts.recipe.learning_rate;
  if (rate == 0) {
    findings.warning("learning_rate_zero", facts.where("learning_rate"),
                     "a learning rate of 0 changes nothing", "set one above 0");
    return;
  }
  if (published.highest_rate == 0) {
    return;
  }
  const auto reason = [&](const char* what) {
    return fmt::format("a learning rate of {:.3g} is {}: the published runs of {} had {} ({})",
                       rate, what, facts.recipe.objective,
                       range_text(published.lowest_rate, published.highest_rate), published.source);
  };
  const bool small = is_small(facts.model);
  if (rate > kFar * published.highest_rate) {
    findings.add({small ? Severity::note : Severity::warning, "learning_rate_high",
                  facts.where("learning_rate"), reason("high"),
                  small
                      ? "small models take larger learning rates than those with 7 billion "
                        "parameters; check that the loss falls"
                      : fmt::format("start with {:.3g}; much higher rates make answers incoherent",
                                    published.highest_rate)});
  } else if (rate * kFar < published.lowest_rate) {
    findings.warning("learning_rate_low", facts.where("learning_rate"),
                     reason("so low that it will hardly change the model"),
                     fmt::format("start with {:.3g}", published.lowest_rate));
  }
}

void check_beta(const RunFacts& facts, Findings& findings) {
  const ObjectiveInfo& objective = find_objective(facts.recipe.objective);
  const PublishedRuns& published = objective.published;
  const double beta = facts.recipe.objective_options.beta;
  if (published.highest_beta == 0 || !objective.uses("beta")) {
    return;
  }
  const bool low = beta * kFar < published.lowest_beta;
  const bool high = beta > kFar * published.highest_beta;
  if (!low && !high) {
    return;
  }
  // With a reference, a small beta lets the model move freely; without one it flattens the loss.
  const bool free = facts.needs_reference.value_or(false);
  const char* effect =
      low ? (free ? "low: the model may move far from the reference"
                  : "low: the loss is nearly flat and will hardly change the model")
          : (free ? "high: the model will hardly move away from the reference"
                  : "high: the model learns only from pairs that are nearly tied");
  findings.add(
      {is_small(facts.model) && high ? Severity::note : Severity::warning,
       low ? "beta_low" : "beta_high", facts.where("beta"),
       fmt::format("a beta of {:.3g} is {}; the published runs of {} had {} ({})", beta, effect,
                   facts.recipe.objective,
                   range_text(published.lowest_beta, published.highest_beta), published.source),
       fmt::format("start with {:.3g}, or check the objective: methods differ in their "
                   "betas",
                   low ? published.lowest_beta : published.highest_beta)});
}

void check_warmup(const RunFacts& facts, Findings& findings) {
  if (facts.length && facts.length->warmup > 0 &&
      facts.length->warmup >= facts.length->total_steps) {
    const char* option = facts.recipe.warmup_steps > 0 ? "warmup_steps" : "warmup_ratio";
    findings.warning("warmup_too_long", facts.where(option),
                     fmt::format("the warm-up has {}, but the run ends after {}: it never reaches "
                                 "its learning rate",
                                 counted(facts.length->warmup, "step"), facts.length->total_steps),
                     facts.length->total_steps == 1
                         ? "train for more steps, or without a warm-up: warmup_ratio 0"
                         : "a tenth of the steps is usual: warmup_ratio 0.1");
  }
}

void check_intervals(const RunFacts& facts, Findings& findings) {
  if (!facts.length) {
    return;
  }
  const std::int64_t total = facts.length->total_steps;
  if (facts.length->logging_steps > total) {
    findings.warning("logging_beyond_end", facts.where("logging_steps"),
                     fmt::format("every {} steps, but the run has only {}: no step is logged",
                                 facts.length->logging_steps, total),
                     "use a smaller number, or a share of the run such as 0.05");
  }
  if (facts.length->eval_steps > total) {
    findings.note(
        "evaluation_at_end_only",
        facts.where(facts.places.given("eval_steps") ? "eval_steps" : "logging_steps"),
        fmt::format("every {} steps, but the run has only {}: it is evaluated at its end only",
                    facts.length->eval_steps, total),
        "use a smaller number, or a share of the run such as 0.25");
  }
  if (facts.length->save_steps > total) {
    findings.note("checkpoint_at_end_only", facts.where("save_steps"),
                  fmt::format("every {} steps, but the run has only {}: its one checkpoint is "
                              "written at the end, so a run that is killed must start again",
                              facts.length->save_steps, total),
                  "for a long run use a smaller number, with save_total_limit");
  }
}

}  // namespace lmpo
