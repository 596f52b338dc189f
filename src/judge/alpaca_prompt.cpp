#include "judge/alpaca_prompt.h"

#include <string>
#include <string_view>

namespace lmpo {
namespace {

// Both are alpaca_eval_clf_gpt4_turbo/alpaca_eval_clf.txt of alpaca_eval (Apache-2.0), word for word.
constexpr std::string_view kAlpacaSystem =
    R"(You are a highly efficient assistant, who evaluates and selects the best large language model (LLMs) based on the quality of their responses to a given instruction. This process will be used to create a leaderboard reflecting the most accurate and human-preferred answers.)";

constexpr std::string_view kAlpacaUser =
    R"judge(I require a leaderboard for various large language models. I'll provide you with prompts given to these models and their corresponding outputs. Your task is to assess these responses, and select the model that produces the best output from a human perspective.

## Instruction

{
    "instruction": """{instruction}""",
}

## Model Outputs

Here are the unordered outputs from the models. Each output is associated with a specific model, identified by a unique model identifier.

{
    {
        "model_identifier": "m",
        "output": """{output_1}"""
    },
    {
        "model_identifier": "M",
        "output": """{output_2}"""
    }
}

## Task

Evaluate the models based on the quality and relevance of their outputs, and select the model that generated the best output. Answer by providing the model identifier of the best model. We will use your output as the name of the best model, so make sure your output only contains one of the following model identifiers and nothing else (no quotes, no spaces, no new lines, ...): m or M.

## Best Model Identifier)judge";

// alpaca_eval replaces the first place of each, one after the other, also where an instruction holds
// such a word itself.
void fill_in(std::string& text, std::string_view name, const std::string& value) {
  if (const std::size_t at = text.find(name); at != std::string::npos) {
    text.replace(at, name.size(), value);
  }
}

}  // namespace

ordered_json alpaca_messages(const JudgeCase& judge_case) {
  std::string user(kAlpacaUser);
  fill_in(user, "{instruction}", judge_case.instruction);
  fill_in(user, "{output_1}", judge_case.first);
  fill_in(user, "{output_2}", judge_case.second);
  return ordered_json::array(
      {{{"content", kAlpacaSystem}, {"role", "system"}}, {{"content", user}, {"role", "user"}}});
}

}  // namespace lmpo
