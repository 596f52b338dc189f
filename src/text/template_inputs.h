// What a chat template may be given beside the messages: tools, and switches such as
// enable_thinking. Both are plain variables of the template; as in transformers, `tools` is null
// where there are none.
#pragma once

#include <string_view>

#include "base/json.h"
#include "text/chat_template.h"

namespace lmpo {

// Tools as transformers passes them, a list of JSON schemas of functions:
//   {"type": "function", "function": {"name": ..., "description": ..., "parameters": {...}}}
// or the function alone, or a built-in tool, {"type": "NAME"}. `given` is that list, or its JSON
// text; null, "" and an empty list stand for none (some templates would introduce tools anyway).
// Returns the list, or null. UserError, which begins with `place` unless that is "", says which tool is not one and
// what was expected.
ordered_json read_tools(const ordered_json& given, std::string_view place);

// Switches by name: an object, or its JSON text; null and "" stand for none. Returns the object, or
// null. UserError, which begins with `place`, for anything else, and for names that lmpo sets
// itself: messages, add_generation_prompt, tools.
ordered_json read_template_kwargs(const ordered_json& given, std::string_view place);

// The variables that `tools` and `chat_template_kwargs` of an object give, or null where it has
// neither. UserError as above.
ordered_json template_inputs(const ordered_json& row, std::string_view place);

// The reverse: writes them to `tools` and `chat_template_kwargs` of an object.
void add_template_inputs(ordered_json& row, const ordered_json& inputs);

// The names of the inputs that the template does not read, "a, b"; "" where it reads all. Tools are
// not among them: whether a template wrote them is seen in its text.
std::string unread_inputs(const ChatTemplate& chat, const ordered_json& inputs);

}  // namespace lmpo
