// A call of a tool as Qwen3-Coder writes it, and models after it.
#pragma once

#include <optional>
#include <string_view>

#include "serve/tool_calls.h"

namespace lmpo {

// <function=NAME>\n<parameter=KEY>\nVALUE\n</parameter>\n...</function>. Values have no type: they
// are texts where `tools`, as the template was given them, say so or do not know the parameter; else
// JSON, if they are. Nothing where the text is no such call.
std::optional<ToolCall> xml_call(std::string_view text, const ordered_json& tools);

}  // namespace lmpo
