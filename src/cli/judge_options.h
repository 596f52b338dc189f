// Options of lmpo eval alpaca and lmpo eval arena: the judge, and a model that answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/common_options.h"
#include "judge/benchmark_answers.h"
#include "judge/judge_choice.h"

namespace lmpo {

struct JudgeOptions {
  std::string url;
  std::string model = "gpt-4-1106-preview";
  std::vector<double> price;
  double max_cost = 0;
  std::int64_t concurrency = 8;
  std::string program;
  fs::path reward_model;
};
void add_judge_options(OptionSet& set, JudgeOptions& options);

struct AnsweringOptions {
  AnswerRun run;
  std::optional<double> temperature;
  std::optional<std::int64_t> max_new_tokens;
  std::int64_t threads = 0;
  TemplateOptions template_options;
};
// `usual`: what temperature and max_new_tokens are by default, for help.
void add_answering_options(OptionSet& set, AnsweringOptions& options, const std::string& usual);
// The answers of the model, decoded as the recipe says where the options do not.
std::vector<std::string> answers_of(AnsweringOptions options, const DecodingRecipe& recipe,
                                    std::span<const std::string> prompts, const fs::path& file);

// Nothing where no judge is named: neither by an option nor by OPENAI_API_KEY or OPENAI_BASE_URL. A
// reward model computes as the answering options say.
std::optional<JudgeChoice> judge_of(const JudgeOptions& options, const AnsweringOptions& answering);

}  // namespace lmpo
