// Compares the answers of two models, also with the influence of length removed.
#pragma once

#include <span>
#include <vector>

#include "base/file.h"
#include "example/world.h"

namespace lmpo {

struct JudgedAnswer {
  Instruction instruction;
  std::string text;
  double tokens = 0;  // the end-of-turn token counted
};

// The file of `lmpo generate --output`, over prompts of the toy task, one answer each. UserError
// names the line of anything else.
std::vector<JudgedAnswer> read_judged_answers(const fs::path& file);

// All in [0, 1] but the tokens.
struct Verdict {
  double win_rate = 0;                  // mean chance that people here prefer the answer
  double win_rate_at_equal_length = 0;  // see below
  double right = 0;                     // part of the answers that are right
  double tokens = 0;                    // mean length
};

// `answers` against those of another model; UserError where they are not to the same prompts in the
// same order, or there are none.
Verdict judge(std::span<const JudgedAnswer> answers, std::span<const JudgedAnswer> others);

// The win rate that would be if both answers were of one length: the chance q of each pair is
// regressed on the difference of lengths,
//   q ~ sigma(theta + phi tanh(d / s)),  s the standard deviation of d,
// and sigma(theta) is the answer. This is not AlpacaEval's length-controlled win rate (Dubois et
// al., arXiv 2404.04475), which has terms for the instruction's difficulty too, and those need many
// other models' answers: the two must not be compared. Where all differences are equal, length
// explains nothing and it is the mean of q. A ridge of 1e-4 on phi, and of 1e-6 on theta, keeps it
// finite where one side always wins.
double win_rate_at_equal_length(std::span<const double> chances,
                                std::span<const double> differences);

// Of several seeds.
struct Estimate {
  double mean = 0;
  double standard_error = 0;  // of the mean; 0 for a single value
};
Estimate estimate(std::span<const double> values);

}  // namespace lmpo
