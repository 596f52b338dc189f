#include "generate/context.h"

#include <algorithm>

#include "base/error.h"

namespace lmpo {

std::int64_t settle_context(std::int64_t asked, std::int64_t max_positions) {
  if (asked > max_positions) {
    user_error(
        "a context of {} tokens was asked for; the model was made for {} "
        "(max_position_embeddings)",
        asked, max_positions);
  }
  return asked > 0 ? asked : std::min(max_positions, kUsualContext);
}

void check_prompt(std::string_view what, std::span<const std::int32_t> prompt,
                  std::int64_t vocabulary, std::int64_t longest) {
  if (prompt.empty()) {
    user_error("{} is empty: at least one token is needed to start from", what);
  }
  if (std::ssize(prompt) > longest) {
    user_error(
        "{} has {} tokens, and at most {} leave room for an answer in the model's context: shorten "
        "the prompt",
        what, prompt.size(), longest);
  }
  for (const std::int32_t token : prompt) {
    if (token < 0 || token >= vocabulary) {
      user_error("{} has token {}, and the model's vocabulary ends at {}", what, token,
                 vocabulary - 1);
    }
  }
}

}  // namespace lmpo
