// AlpacaEval 2's annotator, weighted_alpaca_eval_gpt4_turbo: which of two outputs a judge prefers, as a
// number, from the probabilities of its first token. And what stands in for it.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "judge/alpaca_files.h"
#include "judge/judge_case.h"

namespace lmpo {

// Whether the judge sees the model's output first. The published annotator draws this bit by Python's
// `random`, seeded by the instruction, so that everyone has the same.
bool is_switched(std::string_view instruction);

// The request to a judge of chat completions, with the published prompt (alpaca_eval,
// alpaca_eval_clf_gpt4_turbo, Apache-2.0).
ordered_json alpaca_request(const std::string& judge_model, const JudgeCase& judge_case);

// From 1, the first output is better, to 2, from a choice with log-probabilities: 2 - P(m) / (P(m) +
// P(M)). A token that is not among the likeliest has no probability. NaN where neither is, or where
// there is not exactly one token.
double preference_of_choice(const ordered_json& choice);

struct PairVerdict {
  double preference = 0;       // from 1, the first is better, to 2; NaN for none
  ordered_json raw = nullptr;  // what the judge said, for annotations.json
  double price = 0;            // dollars
};
using PairJudge = std::function<std::vector<PairVerdict>(std::span<const JudgeCase>)>;

// The rows of annotations.json: each of the model's outputs against the baseline's to the same
// instruction (both in the same order). Outputs that are the same draw without a question.
struct Annotator {
  std::string name;
  PairJudge judge;
};
Annotations annotate(std::span<const AlpacaOutput> baseline, std::span<const AlpacaOutput> model,
                     const Annotator& annotator);
// The cases that annotate() asks about, in its order.
std::vector<JudgeCase> cases_of(std::span<const AlpacaOutput> baseline,
                                std::span<const AlpacaOutput> model);

}  // namespace lmpo
