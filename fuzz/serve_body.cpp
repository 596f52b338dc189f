// Any bytes as the body of a request to lmpo serve: refused with an ApiError 400, or read as it is.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "serve/api_error.h"
#include "serve/chat_request.h"
#include "serve/completion_request.h"

namespace {

template <typename Read>
void read_or_refuse(std::string_view body, Read&& read) {
  try {
    read(lmpo::parse_body(body));
  } catch (const lmpo::ApiError& error) {
    LMPO_CHECK(error.status() == 400);
    LMPO_CHECK(!error.body().dump().empty());  // valid UTF-8
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  read_or_refuse(body, [](const lmpo::ordered_json& value) {
    const lmpo::ChatRequest request = lmpo::read_chat_request(value);
    LMPO_CHECK(request.messages.is_array() && !request.messages.empty());
    LMPO_CHECK(request.settings.choices >= 1);
  });
  read_or_refuse(body, [](const lmpo::ordered_json& value) {
    const lmpo::CompletionRequest request = lmpo::read_completion_request(value);
    LMPO_CHECK(!request.prompts.empty() && request.settings.choices >= 1);
  });
  return 0;
}
