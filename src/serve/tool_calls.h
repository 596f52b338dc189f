// Calls of tools in the text of an answer, in the formats of families of models.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo {

struct ToolCall {
  std::string name;
  std::string arguments;  // JSON text of an object
};

// An answer without its calls, and the calls.
struct CallsInText {
  std::string content;
  std::vector<ToolCall> calls;
};

struct ToolFormat {
  std::string_view name;
  // What a chat template of this format holds; all of them.
  std::vector<std::string_view> signs;
  // How a call begins, and whether only at the beginning of an answer. Where special tokens left
  // the text, this is what follows them.
  std::string_view opening;
  bool only_at_start = false;
  // The text from the opening on; no calls where it is not one after all.
  CallsInText (*parse)(std::string_view text) = nullptr;
};

// The format of a chat template; null where it is none that is known.
const ToolFormat* tool_format(std::string_view chat_template);
std::span<const ToolFormat> tool_formats();

// Splits an answer that grows: text that is certain to be no call can be shown at once.
class ToolCallFilter {
 public:
  // No format: all text is content.
  explicit ToolCallFilter(const ToolFormat* format) : format_(format) {}

  // The content that is certain with this piece.
  std::string add(std::string_view piece);
  // The rest, and the calls. A call that cannot be read is content.
  CallsInText finish();

 private:
  // Where a call, or what may become its opening, begins in the held text.
  std::size_t begin_of_call() const;

  const ToolFormat* format_;
  std::string held_;
  bool shown_ = false;  // more than white space
};

}  // namespace lmpo
