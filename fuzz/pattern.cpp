// Any bytes as a pattern of tokenizer.json and, after the first zero byte, as a text: refused with a
// UserError, or all matches lie in the text, in order, and hold whole characters.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "text/regex.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), size);
  const std::string_view pattern = input.substr(0, end);
  const std::string_view text = input.substr(std::min(end + 1, size));
  if (!lmpo::is_valid_utf8(pattern) || !lmpo::is_valid_utf8(text)) {
    return 0;
  }
  try {
    std::size_t before = 0;
    for (const lmpo::Span& span : lmpo::Regex::oniguruma(pattern, "fuzz").find_all(text)) {
      LMPO_CHECK(span.begin >= before && span.end >= span.begin && span.end <= text.size());
      LMPO_CHECK(lmpo::is_valid_utf8(text.substr(span.begin, span.end - span.begin)));
      before = span.end;
    }
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
