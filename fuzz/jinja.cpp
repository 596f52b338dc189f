// Any bytes as a template: rendered, or refused with a UserError, in bounded time.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "jinja/template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const lmpo::ordered_json variables = {
      {"messages", {{{"role", "user"}, {"content", "What?"}}, {{"role", "a"}, {"content", "b"}}}},
      {"bos_token", "<s>"},
      {"add_generation_prompt", true}};
  try {
    lmpo::jinja::Template::parse(text, "fuzz").render(variables);
  } catch (const lmpo::UserError&) {
  }
  return 0;
}
