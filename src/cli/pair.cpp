// lmpo pair: from several scored answers to each prompt to preferences, the best against the worst.
#include <cstdio>

#include "base/error.h"
#include "base/printable_json.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/rewards.h"

namespace lmpo {
namespace {

struct PairOptions {
  fs::path samples;
  fs::path scores;
  fs::path output;
  fs::path scored_output;
  std::int64_t threads = 0;
  RewardOptions reward;
};

void declare(OptionSet& set, PairOptions& options) {
  options.reward.limits.micro_batch = 1;
  set.group("Samples and scores");
  set.add("samples", options.samples,
          "what lmpo generate --output wrote, or rows like it: prompt and responses",
          {.value_name = "FILE", .required = true});
  set.add("scores", options.scores,
          "rows of scores, one number a response; may be the samples' file itself",
          {.value_name = "FILE"});
  set.add("reward_model", options.reward.model,
          "instead of scores: folder of a Llama or Mistral sequence-classification checkpoint with "
          "one label",
          {.value_name = "DIR"});
  set.add("output", options.output, "where to write; standard output when absent",
          {.value_name = "FILE.jsonl"});
  set.add("scored_output", options.scored_output,
          "where to write the samples with all their scores too: for --scores, and for objectives "
          "that take ranked lists",
          {.value_name = "FILE.jsonl"});
  set.group("Reward model");
  set.add("dtype", options.reward.dtype, "storage of the weights; auto: as config.json says",
          {.choices = {"auto", "float32", "bfloat16", "float16"}, .old_names = {"torch_dtype"}});
  set.add("per_device_eval_batch_size", options.reward.limits.micro_batch,
          "prompts, with all their responses, in a pack", {.range = at_least(1)});
  set.add("max_pack_tokens", options.reward.limits.max_tokens,
          "most input tokens in a pack; 0: no limit", {.range = at_least(0)});
  add_device_option(set, options.reward.device);
  add_compute_option(set, options.reward.compute);
  add_threads_option(set, options.threads);
  set.section("Examples",
              "  lmpo pair --samples samples.jsonl --reward_model DIR --output pairs.jsonl\n"
              "  lmpo pair --samples samples.jsonl --scores scores.jsonl --output pairs.jsonl\n");
  set.check([&] {
    if (options.scores.empty() == options.reward.model.empty()) {
      set.reject("scores", "either --scores FILE or --reward_model DIR was expected");
    }
  });
}

void write_scored(const fs::path& file, std::span<const Samples> samples,
                  std::span<const Scores> scores) {
  std::string lines;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    lines += scored_row(samples[i], scores[i]).dump() + "\n";
  }
  write_file_atomically(file, lines);
}

// The pairs, one a line; says what became of the prompts.
std::string pair_lines(std::span<const Samples> samples, std::span<const Scores> scores) {
  std::string lines;
  DropCounts drops;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto pair = best_and_worst(samples[i], scores[i]);
    if (const auto* row = std::get_if<ordered_json>(&pair)) {
      lines += row->dump() + "\n";
    } else {
      drops.add(static_cast<std::int64_t>(i), std::get<DropReason>(pair));
    }
  }
  log_info("{} pairs of {} prompts; {}", std::ssize(samples) - drops.total(), samples.size(),
           drops.summary());
  return lines;
}

int run(const PairOptions& options) {
  apply_threads(options.threads);
  require_folder_for("output", options.output);
  require_folder_for("scored_output", options.scored_output);
  const std::vector<Samples> samples = read_samples(options.samples);
  const std::vector<Scores> scores = options.reward.model.empty()
                                         ? read_scores(options.scores, samples)
                                         : rewards_of(samples, options.reward);
  if (!options.scored_output.empty()) {
    write_scored(options.scored_output, samples, scores);
  }
  const std::string lines = pair_lines(samples, scores);
  if (options.output.empty()) {
    fmt::print("{}", printable_json(lines));
  } else {
    write_file_atomically(options.output, lines);
  }
  return 0;
}

}  // namespace

constinit const CommandCode kPairCommand = command<declare, run>(
    "Makes preferences of samples: of the responses to a prompt the best is chosen, the worst "
    "rejected.");

}  // namespace lmpo
