// Text and token ids as lines of JSON, as lmpo tokenize reads and writes them.
#pragma once

#include <string>

#include "text/text_model.h"

namespace lmpo {

struct TokenLineOptions {
  bool decode = false;                 // lines hold ids instead of text
  bool add_generation_prompt = false;  // after messages
  bool add_special_tokens = true;      // to strings, such as BOS
  bool split_special_tokens = false;   // special tokens in strings are ordinary text
  bool skip_special_tokens = false;    // in decoded text
};

// {"text": ..., "ids": [...]} and a line's end, for a line that holds a string, a list of messages or
// an object with them, its tools and chat_template_kwargs; or, to decode, an id or a list of them.
// "" for a blank line. UserError, which begins with `place`, for any other. Thread-safe.
std::string token_line(const std::string& line, const std::string& place, const TextModel& model,
                       const TokenLineOptions& options);

}  // namespace lmpo
