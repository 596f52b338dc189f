// The body of POST /v1/chat/completions.
#pragma once

#include <string>
#include <vector>

#include "serve/answer_settings.h"

namespace lmpo {

struct ChatRequest {
  std::string model;  // "": not named
  AnswerSettings settings;
  ordered_json messages;          // as a chat template takes them
  ordered_json inputs = nullptr;  // tools and switches, see text/template_inputs.h
  bool calls_tools = false;       // an answer may call one of the tools
  bool add_generation_prompt = true;
  std::int64_t top_logps = -1;  // as EngineRequest
  std::vector<std::string> unknown_fields;
};

// ApiError 400 for anything else.
ChatRequest read_chat_request(const ordered_json& body);

// Messages as OpenAI has them, as transformers' templates take them: contents are texts, parts of
// text joined; the arguments of a tool call are an object, not its JSON text; a developer's message
// is the system's. ApiError 400 for what is not a message, and for images and sound.
ordered_json read_messages(Fields& fields);
// `tools` and `chat_template_kwargs`. ApiError 400.
ordered_json read_template_inputs(Fields& fields);

}  // namespace lmpo
