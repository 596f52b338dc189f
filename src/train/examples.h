// Turns trees into the examples that an objective needs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "objective/objective.h"
#include "tree/tree.h"

namespace lmpo {

// Changes trees by the objective's form() and extra():
//   labelled      splits a pair into two trees: chosen is desirable, rejected is not
//   conversation  appends the first sequence again, with all tokens but the first scored
//   mismatched    appends the tree's prompt with the response to another prompt, truncated to
//                 max_length but never to less than one token of the response
// UserError for `mismatched` if all trees have the same prompt.
void prepare_examples(std::vector<Tree>& trees, const Objective& objective,
                      std::optional<std::int64_t> max_length);

}  // namespace lmpo
