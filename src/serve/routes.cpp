#include "serve/routes.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/log.h"
#include "serve/endpoints.h"
#include "serve/responses.h"

namespace lmpo {
namespace {

struct Route {
  std::string_view method;
  std::string_view path;  // with a slash at its end: all that begins with it; "/": itself alone
  HttpReply (*answer)(Service& service, const HttpRequest& request);
  bool needs_key = true;
};

constexpr std::array kRoutes = std::to_array<Route>({
    {"POST", "/v1/chat/completions", answer_chat},
    {"POST", "/v1/completions", answer_completion},
    {"GET", "/v1/models", list_models},
    {"GET", "/v1/models/", show_model},
    {"POST", "/tokenize", tokenize_text},
    {"POST", "/detokenize", detokenize_ids},
    {"GET", "/tokenizer_info", show_tokenizer},
    {"GET", "/metrics", show_metrics},
    {"GET", "/health", show_health, false},
    {"GET", "/", show_page, false},
});

bool matches(const Route& route, std::string_view path) {
  return route.path == path ||
         (route.path.size() > 1 && route.path.ends_with('/') && path.starts_with(route.path));
}

const Route& find_route(const HttpRequest& request) {
  const auto found = std::ranges::find_if(
      kRoutes, [&](const Route& route) { return matches(route, request.path); });
  if (found == kRoutes.end()) {
    throw ApiError(404, fmt::format("Unknown path {}; see docs/howto-serve.md for those there are",
                                    request.path.substr(0, 100)));
  }
  const bool fits =
      found->method == request.method || (found->method == "GET" && request.method == "HEAD");
  if (!fits) {
    throw ApiError(405, fmt::format("{} is answered to {}, not to {}", found->path, found->method,
                                    request.method));
  }
  return *found;
}

// Takes the same time wherever two texts differ.
bool is_same(std::string_view given, std::string_view wanted) {
  unsigned difference = given.size() == wanted.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    difference |= static_cast<unsigned char>(given[i]) ^
                  static_cast<unsigned char>(wanted[i % std::max<std::size_t>(wanted.size(), 1)]);
  }
  return difference == 0;
}

}  // namespace

void Routes::check_key(const std::string& authorization) const {
  if (!api_key_.empty() && !is_same(authorization, "Bearer " + api_key_)) {
    throw ApiError(401,
                   authorization.empty()
                       ? "You didn't provide an API key: send Authorization: Bearer KEY"
                       : "Incorrect API key provided",
                   "", "invalid_api_key");
  }
}

HttpReply Routes::answer(const HttpRequest& request) const {
  try {
    const Route& route = find_route(request);
    if (route.needs_key) {
      check_key(request.authorization);
    }
    return route.answer(service_, request);
  } catch (const ApiError& error) {
    return error_reply(error);
  } catch (const std::exception& error) {
    log_error("{} {}: {}", request.method, request.path, error.what());
    return error_reply(ApiError(500, "The server failed; its log says how"));
  }
}

std::string Routes::name_of(const std::string& path) {
  const auto found =
      std::ranges::find_if(kRoutes, [&](const Route& route) { return matches(route, path); });
  return found == kRoutes.end() ? "other" : std::string(found->path);
}

HttpReply error_reply(const ApiError& error) {
  return {.status = error.status(), .body = json_line(error.body())};
}

}  // namespace lmpo
