// The JSON of answers, as OpenAI's API has it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "serve/growing_answer.h"
#include "serve/tool_calls.h"

namespace lmpo {

// What every part of a response says of it.
struct ResponseHead {
  // Made now. The id is the prefix, "chatcmpl-", and letters and digits that nobody can guess.
  ResponseHead(const char* prefix, std::string model_id);

  std::string id;
  std::int64_t created;  // Unix time
  std::string model;
};

struct Usage {
  std::int64_t prompt_tokens = 0;
  std::int64_t new_tokens = 0;
  std::int64_t reused_tokens = 0;  // of the prompt, found in the cache
};
ordered_json usage_json(const Usage& usage);

// Chat. `logprobs` and `finish_reason` may be null.
ordered_json chat_message(const std::string& content, const std::vector<ToolCall>& calls);
ordered_json chat_choice(std::size_t index, ordered_json message, ordered_json logprobs,
                         const char* finish_reason);
ordered_json chat_response(const ResponseHead& head, ordered_json choices, const Usage& usage);
ordered_json chat_delta(const std::string& content);
ordered_json chat_delta(const std::vector<ToolCall>& calls);
inline constexpr const char* kChatChunk = "chat.completion.chunk";
ordered_json chat_chunk(const ResponseHead& head, std::size_t index, ordered_json delta,
                        ordered_json logprobs, const char* finish_reason);
ordered_json chat_logprobs(const std::vector<TokenReport>& reports);

// Plain completions; a chunk of a stream has the same shape as a whole response.
ordered_json completion_choice(std::size_t index, const std::string& text, ordered_json logprobs,
                               const char* finish_reason);
inline constexpr const char* kCompletion = "text_completion";
ordered_json completion_response(const ResponseHead& head, ordered_json choices);
ordered_json completion_logprobs(const std::vector<TokenReport>& reports);

// The last event of a stream that was to include it: no choices.
ordered_json usage_chunk(const ResponseHead& head, const char* object, const Usage& usage);

// {"object": "list", "data": [...]} of GET /v1/models, and one of them.
ordered_json model_json(const std::string& id, std::int64_t created, std::int64_t context);

// One event of a stream.
std::string server_event(const ordered_json& value);
inline constexpr const char* kLastEvent = "data: [DONE]\n\n";

}  // namespace lmpo
