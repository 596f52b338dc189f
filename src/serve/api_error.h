// What the server refuses, in the shape of OpenAI's API.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "http/http_error.h"

namespace lmpo {

class ApiError : public HttpError {
 public:
  // `status` of HTTP; `param` names the field at fault; `code` is what programs look for. "": none.
  ApiError(int status, const std::string& message, std::string param = "", std::string code = "")
      : HttpError(status, message), param_(std::move(param)), code_(std::move(code)) {}

  // {"error": {"message", "type", "param", "code"}}
  ordered_json body() const;

 private:
  std::string param_;
  std::string code_;
};

// A field of a request that is not as it should be: status 400.
template <typename... Args>
[[noreturn]] void refuse_field(std::string_view field, fmt::format_string<Args...> format,
                               Args&&... args) {
  throw ApiError(400, fmt::format(format, std::forward<Args>(args)...), std::string(field));
}

}  // namespace lmpo
