#include "cli/judge_options.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/log.h"

namespace lmpo {
namespace {

std::string variable_or_empty(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

void add_judge_options(OptionSet& set, JudgeOptions& options) {
  set.group("Judge");
  set.add(
      "judge", options.url,
      "base URL of an endpoint that speaks OpenAI's API, with logprobs for AlpacaEval; the key is "
      "OPENAI_API_KEY of the environment",
      {.value_name = "URL", .default_text = "OPENAI_BASE_URL, or OpenAI's where a key is set"});
  set.add("judge_model", options.model, "name of the judge's model at the endpoint");
  set.add("judge_price", options.price,
          "dollars for a million tokens that the judge reads, and that it writes",
          {.range = at_least(0), .value_name = "INPUT,OUTPUT", .default_text = "of known judges"});
  set.add("max_cost", options.max_cost,
          "dollars that the judge may cost; a cost is estimated before anything is asked",
          {.range = at_least(0)});
  set.add("concurrency", options.concurrency, "questions that the judge is asked at the same time",
          {.range = within(1, 256)});
  set.add(
      "judge_program", options.program,
      "instead of an endpoint: a command that reads JSON Lines (index, instruction, first, second) "
      "and writes JSON Lines (index, and preference or verdict)",
      {.value_name = "CMD", .verbatim = true});
  set.add("judge_reward_model", options.reward_model,
          "instead of an endpoint: folder of a reward model, as for lmpo pair",
          {.value_name = "DIR"});
  set.check([&set, &options] {
    if (!options.price.empty() && options.price.size() != 2) {
      set.reject("judge_price", "two numbers were expected: INPUT,OUTPUT");
    }
    const int judges = (set.given("judge") ? 1 : 0) + (set.given("judge_program") ? 1 : 0) +
                       (set.given("judge_reward_model") ? 1 : 0);
    if (judges > 1) {
      set.reject("judge", "give one judge: --judge, --judge_program or --judge_reward_model");
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
  JudgeChoice choice{.program = options.program,
                     .url = options.url,
                     .model = options.model,
                     .max_cost = options.max_cost,
                     .workers = options.concurrency};
  if (!options.reward_model.empty()) {
    RewardOptions& reward = choice.reward;
    reward.model = options.reward_model;
    reward.dtype = answering.run.dtype;
    reward.device = answering.run.device;
    reward.compute = answering.run.compute;
    reward.template_inputs = inputs_of(answering.template_options);
    reward.limits.micro_batch = 1;
  }
  if (!options.program.empty() || !options.reward_model.empty()) {
    return choice;
  }
  choice.key = variable_or_empty("OPENAI_API_KEY");
  if (choice.url.empty()) {
    choice.url = variable_or_empty("OPENAI_BASE_URL");
  }
  if (choice.url.empty() && !choice.key.empty()) {
    choice.url = "https://api.openai.com/v1";
  }
  if (choice.url.empty()) {
    return std::nullopt;
  }
  if (options.price.size() == 2) {
    choice.price = {.input = options.price[0], .output = options.price[1]};
  }
  return choice;
}

}  // namespace lmpo
