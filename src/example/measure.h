// Measures a model on the toy language.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "example/world.h"

namespace lmpo {

struct Measured {
  double right = 0;            // share of greedy answers that are right
  double answer_tokens = 0;    // their mean length with the end-of-turn token
  double reward_accuracy = 0;  // share of pairs whose chosen answer has the higher
                               // log-probability per token
};

// Judges greedy answers to the instructions and scores the pairs of a preference file. Throws as
// loading the model and the data does.
Measured measure(const fs::path& model, const std::vector<Instruction>& instructions,
                 const fs::path& preferences);

// A line for each model, by name.
std::string measured_table(const std::vector<std::pair<std::string, Measured>>& rows);

}  // namespace lmpo
