// Measures a model of the toy task.
#pragma once

#include <vector>

#include "base/file.h"
#include "example/world.h"

namespace lmpo {

struct Measured {
  double right = 0;            // share of greedy answers that are right
  double answer_tokens = 0;    // their mean length, end-of-turn token included
  double reward_accuracy = 0;  // share of pairs whose chosen answer has the larger average
                               // log-probability
};

// Greedy answers to the instructions, judged; and the pairs of a preference file, scored.
Measured measure(const fs::path& model, const std::vector<Instruction>& instructions,
                 const fs::path& preferences);

}  // namespace lmpo
