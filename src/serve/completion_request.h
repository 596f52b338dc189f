// The body of POST /v1/completions.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "serve/answer_settings.h"

namespace lmpo {

using GivenText = std::variant<std::string, std::vector<std::int32_t>>;  // or its tokens

struct CompletionRequest {
  std::string model;  // "": not named
  AnswerSettings settings;
  std::vector<GivenText> prompts;  // at least one
  bool echo = false;               // the answer's text begins with the prompt
  std::int64_t top_logps = -1;     // as EngineRequest
  std::vector<std::string> unknown_fields;
};

inline constexpr std::int64_t kUsualCompletion = 16;  // tokens; OpenAI's
inline constexpr std::size_t kMostSequences = 2048;   // prompts times n

// ApiError 400 for anything else.
CompletionRequest read_completion_request(const ordered_json& body);

}  // namespace lmpo
