// What a model's context holds. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace lmpo {

// Most tokens of a sequence, prompt and answer: those asked for, or for 0 the model's
// max_position_embeddings, but at most kUsualContext. UserError where more were asked for than the
// model was made for.
std::int64_t settle_context(std::int64_t asked, std::int64_t max_positions);
constexpr std::int64_t kUsualContext = 8192;

// UserError that begins with `what` ("prompt 3 (counted from 0)"): the prompt is empty, holds an id
// that the vocabulary does not have, or is longer than the longest one that leaves room for an answer.
void check_prompt(std::string_view what, std::span<const std::int32_t> prompt,
                  std::int64_t vocabulary, std::int64_t longest);

}  // namespace lmpo
