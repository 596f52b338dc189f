// Any bytes as what a client sends: no head yet, a head that is refused, or one that says what is asked.
#include "http/http_head.h"

#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "http/http_error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLongestBody = 1000;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto end = lmpo::end_of_head(bytes);
  if (!end) {
    return 0;
  }
  LMPO_CHECK(*end <= size);
  try {
    const lmpo::HttpHead head = lmpo::parse_head(bytes.substr(0, *end), kLongestBody);
    LMPO_CHECK(head.method == "GET" || head.method == "HEAD" || head.method == "POST");
    LMPO_CHECK(head.content_length <= kLongestBody);
    LMPO_CHECK(head.method == "POST" || head.content_length == 0);
    LMPO_CHECK(head.authorization.find_first_of("\r\n") == std::string::npos);
  } catch (const lmpo::HttpError& error) {
    LMPO_CHECK(error.status() >= 400 && error.status() <= 505);
  }
  return 0;
}
