// Tokens to a syntax tree: jinja2's grammar without inheritance, imports and line statements.
#pragma once

#include <string_view>

#include "jinja/syntax.h"

namespace lmpo::jinja {

// Throws SyntaxError with the line; a construct that is not supported is named.
Syntax parse_template(std::string_view source);

}  // namespace lmpo::jinja
