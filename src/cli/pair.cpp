// lmpo pair: from several scored answers to each prompt to preferences, the best against the worst.
#include "base/log.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "train/rewards.h"

namespace lmpo {
namespace {

struct PairOptions {
  fs::path samples;
  fs::path scores;
  fs::path output;
  fs::path scored_output;
  std::int64_t threads = 0;
  TemplateOptions template_options;
  RewardOptions reward;
};

void declare(OptionSet& set, PairOptions& options) {
  options.reward.limits.micro_batch = 1;
  set.group("Samples and scores");
  set.add("samples", options.samples,
          "what lmpo generate --output wrote, or rows like it: prompt and responses",
          {.value_name = "FILE", .required = true});
  set.add("scores", options.scores,
          "rows of scores, one number per response; may be the samples' file itself",
          {.value_name = "FILE"});
  set.add("reward_model", options.reward.model,
          "instead of scores: folder of a sequence-classification checkpoint with one label, of a "
          "family that lmpo trains",
          {.value_name = "DIR"});
  set.add("output", options.output, "file to write; by default standard output",
          {.value_name = "FILE.jsonl"});
  set.add("scored_output", options.scored_output,
          "also write the samples with all their scores to this file: for --scores, and for "
          "objectives with ranked lists",
          {.value_name = "FILE.jsonl"});
  set.group("Reward model");
  add_dtype_option(set, options.reward.dtype, "as in config.json");
  add_template_options(set, options.template_options);
  add_pack_options(set, options.reward.limits, "prompts, each with all its responses");
  add_device_option(set, options.reward.device);
  add_compute_option(set, options.reward.compute);
  add_threads_option(set, options.threads);
  set.section("Examples",
              "  lmpo pair --samples samples.jsonl --reward_model DIR --output pairs.jsonl\n"
              "  lmpo pair --samples samples.jsonl --scores scores.jsonl --output pairs.jsonl\n");
  set.check([&] {
    if (options.scores.empty() == options.reward.model.empty()) {
      set.reject("scores", "give either --scores FILE or --reward_model DIR");
    }
  });
}

int run(PairOptions options) {
  apply_threads(options.threads);
  options.reward.template_inputs = inputs_of(options.template_options);
  require_folder_for("output", options.output);
  require_folder_for("scored_output", options.scored_output);
  const std::vector<Samples> samples = read_samples(options.samples);
  const std::vector<Scores> scores = options.reward.model.empty()
                                         ? read_scores(options.scores, samples)
                                         : rewards_of(samples, options.reward);
  if (!options.scored_output.empty()) {
    write_file_atomically(options.scored_output, scored_lines(samples, scores));
  }
  const auto& [lines, drops] = pair_lines(samples, scores);
  log_info("{} pairs of {} prompts; {}", std::ssize(samples) - drops.total(), samples.size(),
           drops.summary());
  write_lines(options.output, lines);
  return 0;
}

}  // namespace

constinit const CommandCode kPairCommand = command<PairOptions>(
    "Makes preference pairs from samples: the best response to a prompt is chosen, the "
    "worst rejected.");

}  // namespace lmpo
