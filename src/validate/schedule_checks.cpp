// Checks of batches, steps and the learning rate.
#include <fmt/format.h>

#include <algorithm>

#include "inspect/checkpoint_facts.h"
#include "objective/registry.h"
#include "validate/checks.h"

namespace lmpo {
namespace {

// So many times outside the published range is far from it.
constexpr double kFar = 5;
// Models below this size take larger learning rates than the published ones, which are of 7 to 9
// billion parameters.
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

// What a batch that is `times` smaller than the published one means.
std::string about_rate(double times) {
  return times > 1 ? fmt::format(
                         "with a batch {:.3g} times smaller there are {:.3g} times as many steps, "
                         "each with a noisier gradient: the published learning rate is rather "
                         "high for it",
                         times, times)
                   : fmt::format(
                         "with a batch {:.3g} times larger there are fewer steps: the published "
                         "learning rate is rather low for it",
                         1 / times);
}

}  // namespace

void check_batches(const RunFacts& facts, Findings& findings) {
  if (!facts.length || !facts.train) {
    return;
  }
  const TrainRecipe& recipe = facts.recipe;
  const std::int64_t batch = batch_of(facts);
  findings.note(
      "steps", facts.where(recipe.max_steps > 0 ? "max_steps" : "num_train_epochs"),
      fmt::format(
          "{} steps of {} examples ({} at once, {} times); {} in an epoch; warm-up {} steps",
          facts.length->total_steps, batch, recipe.per_device_train_batch_size,
          recipe.gradient_accumulation_steps, facts.length->steps_per_epoch, facts.length->warmup),
      "how a step's examples are cut never changes the result: choose how many are computed at "
      "once by memory alone");
  const std::int64_t last = facts.train->examples % batch;
  if (facts.train->examples < batch) {
    findings.warning("batch_exceeds_rows", facts.where("gradient_accumulation_steps"),
                     fmt::format("the data has {} examples, and a step takes {}: every step is of "
                                 "all of them",
                                 facts.train->examples, batch),
                     "choose a smaller batch, or use more data");
  } else if (last > 0 && facts.length->total_steps >= facts.length->steps_per_epoch) {
    findings.note(
        "last_batch_partial", facts.where("gradient_accumulation_steps"),
        recipe.dataloader_drop_last
            ? fmt::format("{} examples of each epoch are left out, which fill no batch", last)
            : fmt::format("the last batch of an epoch has {} of {} examples: its step "
                          "counts as much as the others",
                          last, batch),
        recipe.dataloader_drop_last ? "other ones are, in each epoch"
                                    : "set dataloader_drop_last: true to leave it out");
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
      "a step has {} examples ({} x {}); the published runs of {} had {} ({})", batch,
      facts.recipe.per_device_train_batch_size, facts.recipe.gradient_accumulation_steps,
      facts.recipe.objective, published.batch, published.source);
  if (is_small(facts.model)) {
    if (far) {
      findings.note("batch_not_published", facts.where("gradient_accumulation_steps"),
                    what + "; " + about_rate(times), "no action needed if the loss falls steadily");
    }
    return;
  }
  // Their recipes say what each of several GPUs does.
  findings.warning(
      "batch_not_published", facts.where("gradient_accumulation_steps"),
      what + "; " + (far ? about_rate(times) : "a different batch size changes the results"),
      published.batch % facts.recipe.per_device_train_batch_size == 0
          ? fmt::format(
                "set gradient_accumulation_steps to {}: a recipe for several GPUs gives the "
                "share of one",
                published.batch / facts.recipe.per_device_train_batch_size)
          : fmt::format("choose gradient_accumulation_steps so that the product is {}",
                        published.batch));
}

void check_learning_rate(const RunFacts& facts, Findings& findings) {
  const PublishedRuns& published = find_objective(facts.recipe.objective).published;
  const double rate = facts.recipe.learning_rate;
  if (rate == 0) {
    findings.warning("learning_rate_zero", facts.where("learning_rate"),
                     "a learning rate of 0 changes nothing", "give one above 0");
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
                      ? "small models take larger learning rates than those of 7 billion "
                        "parameters; check that the loss falls"
                      : fmt::format("start with {:.3g}; with much more, answers become incoherent",
                                    published.highest_rate)});
  } else if (rate * kFar < published.lowest_rate) {
    findings.warning("learning_rate_low", facts.where("learning_rate"),
                     reason("low and will hardly move the model"),
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
  // What a beta far away does differs: with a reference a small one lets the model move freely.
  const bool free = facts.needs_reference.value_or(false);
  const char* effect = low ? (free ? "low: the model may move far from the reference"
                                   : "low: the loss is nearly flat and will hardly move the model")
                           : (free ? "high: the model will hardly move away from the reference"
                                   : "high: only pairs that are nearly tied are learnt from");
  findings.add(
      {is_small(facts.model) && high ? Severity::note : Severity::warning,
       low ? "beta_low" : "beta_high", facts.where("beta"),
       fmt::format("a beta of {:.3g} is {}; the published runs of {} had {} ({})", beta, effect,
                   facts.recipe.objective,
                   range_text(published.lowest_beta, published.highest_beta), published.source),
       fmt::format("start with {:.3g}, or check the objective: other methods have other "
                   "betas",
                   low ? published.lowest_beta : published.highest_beta)});
}

void check_warmup(const RunFacts& facts, Findings& findings) {
  if (facts.length && facts.length->warmup > 0 &&
      facts.length->warmup >= facts.length->total_steps) {
    const char* option = facts.recipe.warmup_steps > 0 ? "warmup_steps" : "warmup_ratio";
    findings.warning("warmup_too_long", facts.where(option),
                     fmt::format("the warm-up of {} steps is not over when the run ends after {}: "
                                 "the learning rate is never reached",
                                 facts.length->warmup, facts.length->total_steps),
                     "a tenth of all steps is usual: warmup_ratio 0.1");
  }
}

void check_intervals(const RunFacts& facts, Findings& findings) {
  if (!facts.length) {
    return;
  }
  const std::int64_t total = facts.length->total_steps;
  if (facts.length->logging_steps > total) {
    findings.warning("logging_beyond_end", facts.where("logging_steps"),
                     fmt::format("every {} steps, and the run has {}: no step is logged",
                                 facts.length->logging_steps, total),
                     "choose fewer, or a part of all steps such as 0.05");
  }
  if (facts.length->eval_steps > total) {
    findings.note(
        "evaluation_at_end_only",
        facts.where(facts.places.given("eval_steps") ? "eval_steps" : "logging_steps"),
        fmt::format("every {} steps, and the run has {}: it is evaluated at its end alone",
                    facts.length->eval_steps, total),
        "choose fewer, or a part of all steps such as 0.25");
  }
  if (facts.length->save_steps > total) {
    findings.note("checkpoint_at_end_only", facts.where("save_steps"),
                  fmt::format("every {} steps, and the run has {}: one checkpoint is written, at "
                              "its end; a run that is killed before starts anew",
                              facts.length->save_steps, total),
                  "choose fewer, with save_total_limit, where the run is long");
  }
}

}  // namespace lmpo
