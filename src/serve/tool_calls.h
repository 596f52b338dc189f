// Calls of tools in the text of an answer, in the formats of families of models.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

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
  // Special tokens that must stay in the text, where the tokenizer has them.
  std::vector<std::string_view> special = {};
  // The text from the opening on; no calls where it is not one after all. `tools`: as the template
  // was given them; null for none.
  CallsInText (*parse)(std::string_view text, const ordered_json& tools) = nullptr;
};

// The format of a chat template; null where it is none that is known.
const ToolFormat* tool_format(std::string_view chat_template);
std::span<const ToolFormat> tool_formats();
// The tokens of ToolFormat::special that the tokenizer has; none without a format.
std::vector<TokenId> tool_tokens(const ToolFormat* format, const Tokenizer& tokenizer);

// Splits an answer that grows: text that is certain to be no call can be shown at once.
class ToolCallFilter {
 public:
  // No format: all text is content. `tools`: as ToolFormat::parse has them.
  explicit ToolCallFilter(const ToolFormat* format, ordered_json tools = nullptr)
      : format_(format), tools_(std::move(tools)) {}

  // The content that is certain with this piece.
  std::string add(std::string_view piece);
  // The rest, and the calls. A call that cannot be read is content.
  CallsInText finish();

 private:
  // Where a call, or what may become its opening, begins in the held text.
  std::size_t begin_of_call() const;

  const ToolFormat* format_;
  ordered_json tools_;
  std::string held_;
  bool shown_ = false;  // more than white space
};

}  // namespace lmpo
