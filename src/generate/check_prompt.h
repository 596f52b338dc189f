// Whether a model can answer a prompt. Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace lmpo {

// UserError that begins with `what` ("prompt 3 (counted from 0)"): the prompt is empty, holds an id
// that the vocabulary does not have, or leaves no room for an answer in a context of that many tokens.
void check_prompt(std::string_view what, std::span<const std::int32_t> prompt,
                  std::int64_t vocabulary, std::int64_t context);

}  // namespace lmpo
