// A model that is served: what the threads of clients need of it. Immutable after loading, so
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serve/answer_settings.h"
#include "serve/growing_answer.h"
#include "serve/tool_calls.h"
#include "text/text_model.h"

namespace lmpo {

struct ServedModel {
  std::string id;  // the name of its folder
  TextModel text;
  std::vector<std::int32_t> stop_ids = {};
  std::int64_t vocabulary = 0;
  std::int64_t context = 0;  // tokens of a prompt and its answer
  std::int64_t created = 0;  // Unix time of its start

  // Null where its answers can call no tool, or in no format that is known.
  const ToolFormat* tools() const { return text.chat ? tool_format(text.chat->text()) : nullptr; }
};

// The tokens of a conversation, as lmpo generate has them. ApiError 400 where there is no template,
// or it refuses.
std::vector<TokenId> chat_tokens(const ServedModel& model, const ordered_json& messages,
                                 bool add_generation_prompt, const ordered_json& inputs);
// ApiError 400: one is a token that the vocabulary lacks. `field` names them.
void check_known(const ServedModel& model, std::span<const TokenId> ids, const std::string& field);
// ApiError 400: the prompt is empty, has a token that the vocabulary lacks, or fills the context.
// `field` names it.
void check_tokens(const ServedModel& model, std::span<const TokenId> prompt,
                  const std::string& field);
// How many tokens an answer may have: those asked for, else `usual`, but no more than there is room
// for. ApiError 400 where more were asked for, "This model's maximum context length is ...".
std::int64_t answer_length(const ServedModel& model, std::size_t prompt_tokens,
                           const std::optional<std::int64_t>& asked, std::int64_t usual,
                           const std::string& field);
// Requests for n answers to a prompt. `first_stream` numbers their random numbers.
std::vector<EngineRequest> requests_of(const ServedModel& model, const AnswerSettings& settings,
                                       std::vector<TokenId> prompt, std::int64_t length,
                                       std::int64_t top_logps, std::uint64_t seed,
                                       std::uint64_t first_stream);

}  // namespace lmpo
