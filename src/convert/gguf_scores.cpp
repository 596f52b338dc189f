#include "convert/gguf_scores.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "base/utf8.h"

namespace lmpo {
namespace {

// The rules that make one token.
struct Made {
  std::size_t first = 0;
  std::size_t last = 0;
  std::size_t count = 0;
};

std::unordered_map<std::string, Made> rules_by_token(const std::vector<MergeRule>& rules) {
  std::unordered_map<std::string, Made> made;
  for (std::size_t rank = 0; rank < rules.size(); ++rank) {
    Made& entry = made[rules[rank].first + rules[rank].second];
    entry.first = entry.count == 0 ? rank : entry.first;
    entry.last = rank;
    ++entry.count;
  }
  return made;
}

// In how many places a token can be cut into two tokens of which text is made.
std::size_t count_cuts(std::string_view token, const std::unordered_set<std::string_view>& normal) {
  std::size_t cuts = 0;
  for (std::size_t at = utf8_size(token[0]); at < token.size(); at += utf8_size(token[at])) {
    cuts += normal.contains(token.substr(0, at)) && normal.contains(token.substr(at)) ? 1 : 0;
  }
  return cuts;
}

}  // namespace

MergeScores merge_scores(const std::vector<std::string>& tokens, const std::vector<bool>& is_normal,
                         const std::vector<MergeRule>& rules) {
  LMPO_CHECK(is_normal.size() == tokens.size());
  const auto made = rules_by_token(rules);
  std::unordered_set<std::string_view> normal;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (is_normal[id]) {
      normal.insert(tokens[id]);
    }
  }
  MergeScores result;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (!is_normal[id]) {
      result.scores.push_back(0);
      continue;
    }
    const auto found = made.find(tokens[id]);
    const Made rule = found == made.end() ? Made{.first = rules.size()} : found->second;
    result.scores.push_back(-static_cast<float>(rule.first));
    const bool together = rule.count == 0 || rule.last - rule.first + 1 == rule.count;
    if (!together || rule.count != count_cuts(tokens[id], normal)) {
      result.unlike.push_back(tokens[id]);
    }
  }
  return result;
}

}  // namespace lmpo
