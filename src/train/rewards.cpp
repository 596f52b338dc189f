#include "train/rewards.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "base/threads.h"
#include "model/model_folder.h"
#include "text/text_model.h"
#include "train/scorer.h"

namespace lmpo {
namespace {

ordered_json conversation(const Samples& samples, const std::string& response) {
  ordered_json messages = to_json(samples.prompt);
  messages.push_back({{"role", "assistant"}, {"content", response}});
  return messages;
}

Tree tree_of(const Samples& samples, const TextModel& text, const ModelConfig& config) {
  Tree tree;
  for (const std::string& response : samples.responses) {
    const std::string rendered =
        text.render(conversation(samples, response), false, samples.location, samples.inputs);
    std::vector<TokenId> tokens = text.tokenizer.encode(rendered, false);
    if (tokens.empty()) {
      user_error("{}: the reward model's chat template renders it as an empty text",
                 samples.location);
    }
    tree.sequences.push_back(reward_sequence(std::move(tokens), config));
  }
  return tree;
}

void warn_of_long_ones(std::span<const Tree> trees, std::int64_t context) {
  std::int64_t longer = 0;
  for (const Tree& tree : trees) {
    longer += std::ranges::count_if(
        tree.sequences, [&](const Sequence& sequence) { return sequence.scored_begin > context; });
  }
  if (longer > 0) {
    log_warning("{} responses with their prompts exceed the reward model's context of {} tokens",
                longer, context);
  }
}

}  // namespace

std::vector<Scores> rewards_of(std::span<const Samples> samples, const RewardOptions& options) {
  TextModel text = TextModel::load(options.model);
  text.set_inputs(options.template_inputs);
  const Dtype storage =
      options.dtype == "auto" ? read_model_config(options.model).dtype : parse_dtype(options.dtype);
  const std::shared_ptr<Device> device = open_device(options.device);
  Scorer scorer(options.model, storage, device, compute_type(*device, options.compute),
                Head::reward);
  check_tokenizer_fits(scorer.config(), text.tokenizer.id_limit(), options.model);
  std::vector<Tree> trees(samples.size());
  parallel_each(std::ssize(samples), [&](std::int64_t i) {
    const auto index = static_cast<std::size_t>(i);
    trees[index] = tree_of(samples[index], text, scorer.config());
  });
  warn_of_long_ones(trees, scorer.config().max_positions);
  std::vector<Scores> scores(samples.size());
  Progress progress(
      {.what = "rewards", .unit = "prompts", .total = std::ssize(trees), .delay = kBarDelay});
  scorer.score(trees, options.limits, [&](std::size_t index, std::span<const double> rewards) {
    if (!std::ranges::all_of(rewards, [](double reward) { return std::isfinite(reward); })) {
      user_error(
          "{}: the reward model's answer is not finite: its weights hold NaN or infinity, or "
          "overflow",
          samples[index].location);
    }
    scores[index].assign(rewards.begin(), rewards.end());
    progress.step(1, trees[index].input_tokens());
  });
  return scores;
}

}  // namespace lmpo
