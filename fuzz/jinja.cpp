// Any bytes as a template: rendered, or refused with a UserError, in bounded time. Text between two
// bytes of value 1 is repeated many times, so that long chains and deep nesting are found too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "jinja/template.h"

namespace {

std::string unfolded(std::string_view text) {
  constexpr std::size_t kLongest = 300'000;
  std::string result;
  for (bool repeats = false; !text.empty(); repeats = !repeats) {
    const std::string_view part = text.substr(0, text.find('\1'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const std::size_t count = repeats && !part.empty() ? kLongest / part.size() : 1;
    for (std::size_t i = 0; i < count && result.size() < 2 * kLongest; ++i) {
      result += part;
    }
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text = unfolded({reinterpret_cast<const char*>(data), size});
  const lmpo::ordered_json variables = {
      {"messages", {{{"role", "user"}, {"content", "What?"}}, {{"role", "a"}, {"content", "b"}}}},
      {"bos_token", "<s>"},
      {"tools",
       {{{"type", "function"},
         {"function", {{"name", "f"}, {"parameters", {{"type", "object"}, {"n", 1.5}}}}}}}},
      {"enable_thinking", false},
      {"add_generation_prompt", true}};
  try {
    const lmpo::jinja::Template parsed = lmpo::jinja::Template::parse(text, "fuzz");
    if (!parsed.has_marks()) {
      parsed.render(variables);
      return 0;
    }
    const lmpo::jinja::MarkedText marked = parsed.render_marked(variables);
    for (const lmpo::jinja::Span& span : marked.marks) {
      LMPO_CHECK(span.begin < span.end && span.end <= marked.text.size());
    }
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
