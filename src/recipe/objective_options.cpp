// The options of the objectives, and the tables of them.
#include <fmt/format.h>

#include <algorithm>

#include "objective/registry.h"
#include "recipe/train_recipe.h"

namespace lmpo {
namespace {

constexpr Range kAtLeastOne = at_least(1);
constexpr Range kNonNegative = at_least(0);

// " (simpo, lmpo)": the objectives that use an option.
std::string users(std::string_view option) {
  std::vector<std::string> names;
  for (const ObjectiveInfo& info : objectives()) {
    if (info.uses(option)) {
      names.emplace_back(info.name);
    }
  }
  return " (" + join(names, ", ") + ")";
}

}  // namespace

void add_objective_options(OptionSet& options, ObjectiveOptions& o) {
  const auto add = [&](const char* name, auto& value, const char* help, OptionTraits traits = {}) {
    traits.changes_result = true;
    options.add(name, value, help + users(name), std::move(traits));
  };
  add("beta", o.beta, "scale of the rewards",
      {.range = kPositive, .old_names = {"pref_beta", "rl_beta", "dpo_beta", "orpo_alpha"}});
  add("gamma", o.gamma, "target margin between the rewards",
      {.old_names = {"simpo_gamma"}, .default_text = "gamma_beta_ratio * beta"});
  add("home_advantage", o.home_advantage, "log h, the target margin",
      {.default_text = "1.6, or gamma_beta_ratio * beta"});
  add("gamma_beta_ratio", o.gamma_beta_ratio, "gamma or home_advantage as a multiple of beta",
      {.default_text = "0.25 with simpo"});
  add("loss_type", o.loss_type, "shape of the loss",
      {.elsewhere = {{"simpo", "objective", "simpo"}, {"kto", "objective", "kto"}}});
  add("label_smoothing", o.label_smoothing, "probability that a pair's labels are swapped",
      {.range = {.low = 0, .high = 0.5, .high_open = true}, .old_names = {"dpo_label_smoothing"}});
  add("sft_weight", o.sft_weight, "weight of the chosen responses' NLL, a mean over tokens",
      {.range = kNonNegative, .old_names = {"rpo_alpha", "pref_ftx"}});
  add("cpo_alpha", o.cpo_alpha, "weight of the chosen responses' NLL, a mean over tokens",
      {.range = kNonNegative});
  add("delta", o.delta, "margin between the responses' log-probabilities", {.range = kNonNegative});
  add("rdpo_alpha", o.rdpo_alpha, "penalty on the reward per token of a response",
      {.range = kNonNegative});
  add("nll_on", o.nll_on, "tokens of the NLL: the chosen conversation, or its response only");
  add("desirable_weight", o.desirable_weight, "weight of desirable responses",
      {.range = kNonNegative, .old_names = {"kto_desirable_weight", "kto_chosen_weight"}});
  add("undesirable_weight", o.undesirable_weight, "weight of undesirable responses",
      {.range = kNonNegative, .old_names = {"kto_undesirable_weight", "kto_rejected_weight"}});
  add("lambda", o.lambda, "weight of the margin (slic: of the chosen response's likelihood)",
      {.range = kNonNegative});
  add("margin", o.margin, "form of the margin");
  add("margin_alpha", o.margin_alpha, "alpha of margin log", {.range = kPositive});
  add("margin_beta", o.margin_beta, "beta of margin sigmoid", {.range = kPositive});
  add("margin_scale", o.margin_scale, "factor of the margin; 0.5 in the published code",
      {.range = kPositive});
  add("margin_gradient", o.margin_gradient,
      "detach: no gradient through the margin, as in the published code; full: with it");
  add("length_normalization", o.length_normalization,
      "average: compare responses at the pair's average length; none: each at its own length");
  add("zscore", o.zscore,
      "statistics that normalize the margin. ema: a moving average; running: the whole run so far; "
      "code: as in the published code; none: no normalization");
  add("ema_decay", o.ema_decay, "decay of the statistics of zscore ema and code",
      {.range = kInsideUnit});
  add("zscore_group", o.zscore_group, "pairs per group of zscore code", {.range = kAtLeastOne});
}

std::string objectives_markdown() {
  std::string text = "| objective | loss of a pair | what it is | options |\n|---|---|---|---|\n";
  for (const ObjectiveInfo& info : objectives()) {
    std::vector<std::string> names;
    for (const std::string_view name : info.options) {
      names.push_back(fmt::format("`{}`", name));
    }
    text += fmt::format("| `{}` | {} | {} | {} |\n", info.name, info.formula, info.summary,
                        join(names, ", "));
  }
  return text;
}

std::string objective_defaults_markdown() {
  // Of every option the default of each objective.
  std::vector<std::pair<std::string, CommandDescription>> all;
  for (const ObjectiveInfo& info : objectives()) {
    TrainRecipe recipe;
    OptionSet options("lmpo train", "");
    add_train_options(options, recipe);
    recipe.objective = info.name;
    all.emplace_back(info.name, options.describe());
  }
  const CommandDescription& first = all.front().second;
  std::string text = "| objective | its defaults |\n|---|---|\n";
  for (const auto& [name, description] : all) {
    std::vector<std::string> own;
    for (std::size_t i = 0; i < first.options.size(); ++i) {
      const std::string& option = first.options[i].name;
      const bool differs = std::ranges::any_of(all, [&](const auto& other) {
        return other.second.options[i].default_text != first.options[i].default_text;
      });
      const bool of_objectives = std::ranges::any_of(
          objectives(), [&](const ObjectiveInfo& info) { return info.uses(option); });
      if (differs && option != "objective" &&
          (!of_objectives || find_objective(name).uses(option))) {
        own.push_back(fmt::format("`{}` {}", option, description.options[i].default_text));
      }
    }
    text += fmt::format("| `{}` | {} |\n", name, join(own, ", "));
  }
  return text;
}

}  // namespace lmpo
