// What the server refuses, in the shape of OpenAI's API.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"

namespace lmpo {

class ApiError : public std::runtime_error {
 public:
  // `status` of HTTP; `param` names the field at fault; `code` is what programs look for. "": none.
  ApiError(int status, std::string message, std::string param = "", std::string code = "")
      : std::runtime_error(message),
        status_(status),
        param_(std::move(param)),
        code_(std::move(code)) {}

  int status() const { return status_; }
  // {"error": {"message", "type", "param", "code"}}
  ordered_json body() const;

 private:
  int status_;
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
