// What a model of the small world can do.
#pragma once

#include <vector>

#include "base/file.h"
#include "example/world.h"

namespace lmpo {

struct Measured {
  double right = 0;            // part of the greedy answers that are right
  double answer_tokens = 0;    // their mean length, the end included
  double reward_accuracy = 0;  // part of the pairs whose chosen answer has the larger average
                               // log-probability
};

// Greedy answers to the instructions, judged; and the pairs of a preference file, scored.
Measured measure(const fs::path& model, const std::vector<Instruction>& instructions,
                 const fs::path& preferences);

}  // namespace lmpo
