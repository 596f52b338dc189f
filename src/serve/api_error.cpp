#include "serve/api_error.h"

namespace lmpo {
namespace {

// OpenAI's names for kinds of errors.
const char* error_type(int status) {
  return status == 429  ? "rate_limit_error"
         : status < 500 ? "invalid_request_error"
                        : "server_error";
}

ordered_json text_or_null(const std::string& text) {
  return text.empty() ? ordered_json() : ordered_json(text);
}

}  // namespace

ordered_json ApiError::body() const {
  return {{"error",
           {{"message", what()},
            {"type", error_type(status())},
            {"param", text_or_null(param_)},
            {"code", text_or_null(code_)}}}};
}

}  // namespace lmpo
