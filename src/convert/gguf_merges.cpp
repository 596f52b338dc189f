#include "convert/gguf_merges.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"

namespace lmpo {

json listed_merges(const GgufKeys& keys, const json& vocabulary) {
  const std::string key = "tokenizer.ggml.merges";
  json merges = json::array();
  for (const std::string& rule : keys.at<std::vector<std::string>>(key)) {
    const std::size_t space = rule.find(' ', 1);
    const bool whole = space != std::string::npos && space + 1 < rule.size();
    const std::string left = rule.substr(0, space);
    const std::string right = whole ? rule.substr(space + 1) : "";
    if (!whole || !vocabulary.contains(left) || !vocabulary.contains(right) ||
        !vocabulary.contains(left + right)) {
      user_error("{}: key '{}': '{}': two tokens that make a third were expected", keys.source(),
                 key, printable(rule, LineEnds::escape));
    }
    merges.push_back({left, right});
  }
  return merges;
}

json merges_of_scores(const std::vector<std::string>& tokens, const std::vector<bool>& is_normal,
                      const std::vector<double>& scores, std::string_view source) {
  std::unordered_set<std::string_view> normal;
  std::vector<std::size_t> order;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (is_normal[id]) {
      normal.insert(tokens[id]);
      order.push_back(id);
    }
  }
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  json merges = json::array();
  std::size_t equal = 0;
  std::size_t before = tokens.size();  // the last token that merges make
  for (const std::size_t id : order) {
    const std::string_view token = tokens[id];
    const std::size_t count = merges.size();
    for (std::size_t at = utf8_size(token[0]); at < token.size(); at += utf8_size(token[at])) {
      const std::string_view left = token.substr(0, at);
      const std::string_view right = token.substr(at);
      if (normal.contains(left) && normal.contains(right)) {
        merges.push_back({left, right});
      }
    }
    if (merges.size() > count) {
      equal += before < tokens.size() && scores[before] == scores[id] ? 1 : 0;
      before = id;
    }
  }
  if (equal > 0) {
    log_warning(
        "{}: {} tokens have the score of another; llama.cpp cuts some words with them in another "
        "way than the merges of tokenizer.json",
        source, equal);
  }
  return merges;
}

}  // namespace lmpo
