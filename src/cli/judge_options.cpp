#include "cli/judge_options.h"

#include "base/error.h"
#include "base/log.h"

namespace lmpo {
void add_judge_options(OptionSet& set, JudgeOptions& options) {
  set.group("Judge");
  set.add(
      "judge_program", options.program,
      "a command that reads JSON Lines (index, instruction, first, second) and writes JSON Lines "
      "(index, and preference or verdict)",
      {.value_name = "CMD", .verbatim = true});
  set.add("judge_reward_model", options.reward_model, "folder of a reward model, as for lmpo pair",
          {.value_name = "DIR"});
  set.check([&set, &options] {
    if (!options.program.empty() && !options.reward_model.empty()) {
      set.reject("judge_program", "give one judge: --judge_program or --judge_reward_model");
    }
  });
}

void add_answering_options(OptionSet& set, AnsweringOptions& options, const std::string& usual) {
  set.group("Answering and computing");
  set.add("temperature", options.temperature, "sampling temperature; 0: take the likeliest token",
          {.range = at_least(0), .default_text = usual});
  set.add("max_new_tokens", options.max_new_tokens, "maximum tokens of an answer",
          {.range = at_least(1), .default_text = usual});
  set.add("seed", options.run.seed, "seed of the random numbers",
          {.range = at_least(0), .letter = 's'});
  set.add("batch_size", options.run.batch_size, "sequences decoded at the same time",
          {.range = within(1, 4096)});
  add_template_options(set, options.template_options);
  add_device_option(set, options.run.device);
  add_weights_option(set, options.run.dtype);
  add_compute_option(set, options.run.compute);
  add_threads_option(set, options.threads);
}

std::vector<std::string> answers_of(AnsweringOptions options, const DecodingRecipe& recipe,
                                    std::span<const std::string> prompts, const fs::path& file) {
  options.run.temperature = options.temperature.value_or(recipe.temperature);
  options.run.max_new_tokens = options.max_new_tokens.value_or(recipe.max_new_tokens);
  options.run.template_inputs = inputs_of(options.template_options);
  options.run.version = LMPO_VERSION;
  log_info("answers at temperature {}, at most {} tokens (recipe: {})", options.run.temperature,
           options.run.max_new_tokens, recipe.kind);
  return benchmark_answers(options.run, prompts, file);
}

std::optional<JudgeChoice> judge_of(const JudgeOptions& options,
                                    const AnsweringOptions& answering) {
  if (options.program.empty() && options.reward_model.empty()) {
    return std::nullopt;
  }
  JudgeChoice choice;
  choice.program = options.program;
  if (!options.reward_model.empty()) {
    RewardOptions& reward = choice.reward;
    reward.model = options.reward_model;
    reward.dtype = answering.run.dtype;
    reward.device = answering.run.device;
    reward.compute = answering.run.compute;
    reward.template_inputs = inputs_of(answering.template_options);
    reward.limits.micro_batch = 1;
  }
  return choice;
}

}  // namespace lmpo
