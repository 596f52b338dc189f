// Any text as an answer that may call tools: byte by byte it gives what it gives as a whole, and without
// a call all of it is content.
#include "serve/tool_calls.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"

namespace {

lmpo::CallsInText split(const lmpo::ToolFormat& format, std::string_view text, std::size_t piece) {
  static const lmpo::ordered_json tools = lmpo::ordered_json::parse(
      R"([{"function": {"name": "f", "parameters": {"properties": {"a": {"type": "integer"}}}}}])");
  lmpo::ToolCallFilter filter(&format, tools);
  std::string shown;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    shown += filter.add(text.substr(at, piece));
  }
  lmpo::CallsInText all = filter.finish();
  all.content = shown + all.content;
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const lmpo::ToolFormat& format : lmpo::tool_formats()) {
    const lmpo::CallsInText whole = split(format, text, size + 1);
    const lmpo::CallsInText bytes = split(format, text, 1);
    LMPO_CHECK(whole.content == bytes.content && whole.calls.size() == bytes.calls.size());
    LMPO_CHECK(!whole.calls.empty() || whole.content == text);
  }
  return 0;
}
