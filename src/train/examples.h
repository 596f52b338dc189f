// Trees as an objective wants them: what it scores beside the responses of a row.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "objective/objective.h"
#include "tree/tree.h"

namespace lmpo {

// Brings trees from the data to the objective's form:
//   labelled     pairs become two trees, the chosen response desirable, the rejected one not
//   conversation the first sequence once more, all of it scored but its first token
//   mismatched   the tree's prompt before the response of a tree with another prompt, cut to
//                max_length; a prompt that leaves no room keeps one token of it
// UserError where all trees have one prompt, so that nothing can be mismatched.
void prepare_examples(std::vector<Tree>& trees, const Objective& objective,
                      std::optional<std::int64_t> max_length);

}  // namespace lmpo
