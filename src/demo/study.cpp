#include "demo/study.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "example/training_flags.h"

namespace lmpo {
namespace {

using Words = std::vector<std::string>;

void append(Words& words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
}

std::string text(double value) {
  return fmt::format("{}", value);
}

// A method with one learning rate and strength, under the method's name.
Variant variant_of(const Method& method, double learning_rate, double value) {
  Variant variant = {
      .name = method.objective,
      .title = method.title,
      .objective = method.objective,
      .flags = {"--objective", method.objective, "--learning_rate", text(learning_rate)},
      .settings = "learning rate " + text(learning_rate)};
  if (!method.option.empty()) {
    append(variant.flags, {"--" + method.option, text(value)});
    variant.settings += fmt::format(", {} {}", method.option, value);
  }
  return variant;
}

Variant tuned(const Method& method) {
  return variant_of(method, method.learning_rate, method.value);
}

// LMPO with the sweep's best values and the given options.
Variant lmpo_with(std::string name, std::string title, const Words& flags) {
  Variant variant = tuned(find_method("lmpo"));
  variant.name = std::move(name);
  variant.title = std::move(title);
  variant.settings.clear();
  append(variant.flags, flags);
  return variant;
}

Part methods_part() {
  Part part{"methods", "Methods", {}};
  for (const Method& method : methods()) {
    part.variants.push_back(tuned(method));
  }
  return part;
}

Part ablations_part() {
  return {"ablations",
          "Ablations of LMPO",
          {tuned(find_method("lmpo")),
           lmpo_with("without-zscore", "without z-score", {"--zscore", "none"}),
           lmpo_with("without-average-length", "without average-length",
                     {"--length_normalization", "none"}),
           lmpo_with("margin-cube", "cube margin", {"--margin", "cube"}),
           lmpo_with("margin-log", "log margin", {"--margin", "log"}),
           lmpo_with("margin-sigmoid", "sigmoid margin", {"--margin", "sigmoid"})}};
}

// LMPO with each value of an option. The row of the default, `usual`, is LMPO itself.
Part option_part(const std::string& option, std::string title, std::string x_label, double usual,
                 std::vector<double> values) {
  Part part{option, std::move(title), {}, std::move(x_label), std::move(values)};
  for (const double value : part.x) {
    Variant variant = lmpo_with(option + "-" + text(value), part.x_label + " = " + text(value),
                                {"--" + option, text(value)});
    if (value == usual) {
      variant.name = "lmpo";
      variant.flags = tuned(find_method("lmpo")).flags;
    }
    part.variants.push_back(std::move(variant));
  }
  return part;
}

}  // namespace

std::span<const Method> methods() {
  static const std::vector<Method> all = {
      {"dpo", "DPO", "beta", {0.1, 0.3, 1}, 1e-4, 0.3},
      {"ipo", "IPO", "beta", {0.1, 0.3, 1}, 1e-4, 0.3},
      {"hinge", "DPO (hinge)", "beta", {0.1, 0.3, 1}, 1e-4, 0.3},
      {"slic", "SLiC-HF", "lambda", {0.03, 0.1, 0.3}, 1e-4, 0.1},
      {"cpo", "CPO", "beta", {0.1, 0.3, 1}, 1e-4, 0.3},
      {"kto", "KTO", "beta", {1, 3, 10}, 3e-4, 3},
      {"orpo", "ORPO", "beta", {1, 3, 10}, 3e-4, 3},
      {"rdpo", "R-DPO", "beta", {0.1, 0.3, 1}, 1e-4, 0.3},
      {"rrhf", "RRHF", "sft_weight", {0.1, 0.3, 1}, 1e-3, 0.3},
      {"pro", "PRO", "sft_weight", {0.2, 0.6, 2}, 3e-4, 0.6},
      {"simper", "SimPER", "", {}, 1e-3, 0},
      {"simpo", "SimPO", "beta", {20, 40, 80}, 3e-4, 40},
      {"lmpo", "LMPO", "beta", {10, 20, 40}, 3e-4, 20}};
  return all;
}

const Method& find_method(const std::string& objective) {
  const auto found = std::ranges::find(methods(), objective, &Method::objective);
  LMPO_CHECK(found != methods().end());
  return *found;
}

std::span<const double> swept_learning_rates() {
  static const std::vector<double> all = {1e-4, 3e-4, 1e-3};
  return all;
}

const std::vector<Part>& parts() {
  static const std::vector<Part> all = {
      methods_part(), ablations_part(),
      option_part("lambda", "LMPO: weight of the margin", "lambda", 0.2, {0, 0.05, 0.2, 0.5, 1}),
      option_part("home_advantage", "LMPO: home advantage", "log h", 1.6, {0, 0.8, 1.6, 3.2, 5})};
  return all;
}

const Part& sweep_part() {
  static const Part part = [] {
    Part sweep{"sweep", "Sweep", {}};
    for (const Method& method : methods()) {
      const std::vector<double> values =
          method.option.empty() ? std::vector<double>{0} : method.values;
      for (const double rate : swept_learning_rates()) {
        for (const double value : values) {
          Variant variant = variant_of(method, rate, value);
          variant.name = fmt::format("{}-{}-{}", method.objective, rate, value);
          sweep.variants.push_back(std::move(variant));
        }
      }
    }
    return sweep;
  }();
  return part;
}

fs::path seed_folder(std::int64_t seed) {
  return fmt::format("seed-{}", seed);
}

fs::path variant_folder(std::int64_t seed, const std::string& name) {
  return seed_folder(seed) / name;
}

namespace {

// Trains, then answers the held-out prompts greedily.
Job train_and_answer(std::int64_t seed, const std::string& name, const std::string& model,
                     const std::string& data, const Words& flags, std::int64_t steps) {
  const fs::path world = seed_folder(seed) / "world";
  const fs::path folder = variant_folder(seed, name);
  const std::string trained = (folder / kRunFolder).string();
  Words train = {"train",
                 "--model",
                 model,
                 "--data",
                 (world / data).string(),
                 "--output_dir",
                 trained,
                 "--seed",
                 std::to_string(seed),
                 "--threads",
                 "1"};
  append(train, flags);
  if (steps > 0) {
    append(train, {"--max_steps", std::to_string(steps)});
  }
  return {
      folder,
      {train,
       {"generate", "--model", trained, "--prompts", (world / "held_out_prompts.jsonl").string(),
        "--temperature", "0", "--max_new_tokens", "48", "--batch_size", "64", "--threads", "1",
        "--output", (folder / kAnswersFile).string()}}};
}

}  // namespace

Job sft_job(std::int64_t seed, const StudySizes& sizes) {
  Words flags = {"--objective", "sft"};
  append(flags, sft_flags());
  const fs::path folder = variant_folder(seed, kSft);
  const fs::path world = seed_folder(seed) / "world";
  const std::string random = (folder / "random").string();
  Job job = train_and_answer(seed, kSft, random, "answers.jsonl", flags, sizes.sft_steps);
  job.commands.insert(job.commands.begin(),
                      {"init", "--config", (world / "config.json").string(), "--tokenizer",
                       world.string(), "--seed", std::to_string(seed), random});
  return job;
}

Job variant_job(std::int64_t seed, const Variant& variant, const StudySizes& sizes) {
  Words flags = {"--eval_dataset",
                 (seed_folder(seed) / "world/held_out_preferences.jsonl").string(),
                 "--num_train_epochs", "1"};
  append(flags, preference_flags());
  append(flags, variant.flags);
  Job job = train_and_answer(seed, variant.name, (variant_folder(seed, kSft) / kRunFolder).string(),
                             "preferences.jsonl", flags, sizes.steps);
  job.basis = json(sft_job(seed, sizes).commands).dump();
  return job;
}

}  // namespace lmpo
