// Template text to tokens, with jinja2's whitespace control under trim_blocks and lstrip_blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jinja/value.h"

namespace lmpo::jinja {

// A failure that knows its line.
class SyntaxError : public TemplateError {
 public:
  SyntaxError(int at_line, const std::string& message) : TemplateError(message), line(at_line) {}
  int line;
};

struct Token {
  enum class Kind {
    data,         // text between tags
    print_begin,  // {{
    print_end,    // }}
    block_begin,  // {%
    block_end,    // %}
    name,
    text,  // a string literal, unescaped
    integer,
    floating,
    sign,  // an operator or bracket
    end
  };
  Kind kind = Kind::end;
  std::string text;
  int line = 1;

  bool is(std::string_view sign_text) const { return kind == Kind::sign && text == sign_text; }
  bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
};

// The last token is `end`. Throws SyntaxError.
std::vector<Token> tokenize_template(std::string_view source);

}  // namespace lmpo::jinja
