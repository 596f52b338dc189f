// The merges of a tokenizer.json as scores of tokens, the way sentencepiece says them.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lmpo {

using MergeRule = std::pair<std::string, std::string>;

struct MergeScores {
  std::vector<float> scores;  // one a token
  // Tokens for which "join the two neighbours whose token scores best" is not what the rules say:
  // another token's rule stands between its own, or two tokens make it that no rule joins.
  std::vector<std::string> unlike;
};

// A token's score is minus the rank of the first rule that makes it; below all of these for tokens
// that no rule makes. `is_normal` says which tokens text is made of; others have score 0.
MergeScores merge_scores(const std::vector<std::string>& tokens, const std::vector<bool>& is_normal,
                         const std::vector<MergeRule>& rules);

}  // namespace lmpo
