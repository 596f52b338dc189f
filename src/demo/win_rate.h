// Compares answers of two models, also as if they were equally long. Pure functions.
#pragma once

#include <span>
#include <vector>

#include "base/file.h"
#include "example/world.h"

namespace lmpo {

struct JudgedAnswer {
  Instruction instruction;
  std::string text;
  double tokens = 0;  // with the end-of-turn token
};

// Reads a file of `lmpo generate --output` over prompts of the toy language, one answer each.
// UserError names the first other line.
std::vector<JudgedAnswer> read_judged_answers(const fs::path& file);

// Rates are in [0, 1].
struct Verdict {
  double win_rate = 0;                  // mean probability that the answer is preferred
  double win_rate_at_equal_length = 0;  // see below
  double right = 0;                     // share of answers that are right
  double tokens = 0;                    // mean length
};

// `answers` against those of another model. UserError if they are not to the same prompts in the same
// order, or there are none.
Verdict judge(std::span<const JudgedAnswer> answers, std::span<const JudgedAnswer> others);

// The win rate if both answers were equally long: the probability q of each pair is regressed on the
// difference d of lengths,
//   q ~ sigma(theta + phi tanh(d / s)),  s the standard deviation of d,
// and the result is sigma(theta). This is not AlpacaEval's length-controlled win rate (Dubois et al.,
// arXiv 2404.04475), which also has terms for the difficulty of instructions: do not compare the two.
// If all differences are equal, the result is the mean of q. A ridge of 1e-4 on phi and of 1e-6 on
// theta keeps it finite if one side always wins.
double win_rate_at_equal_length(std::span<const double> chances,
                                std::span<const double> differences);

// Mean and standard error over several seeds.
struct Estimate {
  double mean = 0;
  double standard_error = 0;  // of the mean; 0 for a single value
};
Estimate estimate(std::span<const double> values);

}  // namespace lmpo
