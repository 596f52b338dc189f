// The merges of a tokenizer.json as sentencepiece's scores of tokens.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lmpo {

using MergeRule = std::pair<std::string, std::string>;

struct MergeScores {
  std::vector<float> scores;  // one a token
  // Tokens for which sentencepiece's way, to join the two neighbours whose token scores best, differs
  // from the rules: another token's rule comes between its own, or two tokens make it that no rule
  // joins.
  std::vector<std::string> unlike;
};

// A token's score is minus the rank of the first rule that makes it; below all of these for tokens
// that no rule makes. `is_normal` says which tokens text is made of; others have score 0.
MergeScores merge_scores(const std::vector<std::string>& tokens, const std::vector<bool>& is_normal,
                         const std::vector<MergeRule>& rules);

}  // namespace lmpo
