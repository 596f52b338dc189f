// lmpo merge: checkpoints of one architecture averaged or interpolated.
#include "convert/merge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/folder_options.h"
#include "train/card/model_card.h"

namespace lmpo {
namespace {

struct MergeOptions {
  std::vector<fs::path> models;
  std::vector<double> weights;
  std::optional<double> alpha;
  FolderOptions folder;
};

// Thirds as people write them (0.333333) must pass; they are divided by their sum.
constexpr double kWeightSumTolerance = 1e-5;

std::vector<double> read_weights(const OptionSet& set, const MergeOptions& options) {
  const std::size_t count = options.models.size();
  if (options.alpha) {
    if (!options.weights.empty()) {
      set.reject("alpha", "either --alpha or --weights, not both");
    }
    if (count != 2) {
      set.reject("alpha", fmt::format("needs two models, not {}", count));
    }
    return {1 - *options.alpha, *options.alpha};
  }
  if (options.weights.empty()) {
    return std::vector<double>(count, 1 / static_cast<double>(count));
  }
  if (options.weights.size() != count) {
    set.reject("weights", fmt::format("one number per model was expected: {} for {} models",
                                      options.weights.size(), count));
  }
  const double sum = std::accumulate(options.weights.begin(), options.weights.end(), 0.0);
  if (!(std::fabs(sum - 1) <= kWeightSumTolerance)) {
    set.reject("weights", fmt::format("they must add up to 1, not to {}", sum));
  }
  std::vector<double> weights = options.weights;
  std::ranges::for_each(weights, [sum](double& weight) { weight /= sum; });
  return weights;
}

void declare(OptionSet& set, MergeOptions& options) {
  set.add_named_or_positional(
      "model_name_or_path", options.models, "folders of the checkpoints, two or more",
      {.value_name = "DIR", .letter = 'm', .synonyms = {"model", "models"}, .required = true});
  set.add("weights", options.weights,
          "one number per model; they must add up to 1; numbers below 0 or above 1 extrapolate",
          {.default_text = "equal", .numbers_follow = true});
  set.add("alpha", options.alpha, "for two models: (1 - alpha) of the first, alpha of the second");
  set.add("output", options.folder.output, "folder to create",
          {.value_name = "OUT", .required = true});
  add_folder_options(set, options.folder);
  set.section("Examples",
              "  lmpo merge run-1 run-2 run-3 --output average\n"
              "  lmpo merge sft dpo --alpha 0.5 --output halfway\n"
              "  lmpo merge sft dpo --weights -0.3 1.3 --output further --dtype bfloat16\n");
}

int run(const MergeOptions& options, const OptionSet& set) {
  if (options.models.size() < 2) {
    set.reject("model_name_or_path", "two or more models were expected");
  }
  const std::vector<double> weights = read_weights(set, options);
  prepare_output(set, options.folder);

  CombinedModels combined = {.models = {}, .version = LMPO_VERSION};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    combined.models.emplace_back(options.models[i], weights[i]);
  }
  merge_models(combined.models, options.folder.storage(), options.folder.output,
               options.folder.shard_bytes());
  for (const auto& [folder, weight] : combined.models) {
    log_info("{:g} of {}", weight, folder.string());
  }
  write_card(options.folder.output, combined_card(options.folder.output, combined));
  log_info("{}: merged", options.folder.output.string());
  return 0;
}

}  // namespace

constinit const CommandCode kMergeCommand = command<MergeOptions>(
    "Averages checkpoints of one architecture, weight by weight, into the folder --output. "
    "Configuration, tokenizer and template are the first's.");

}  // namespace lmpo
