// The head of an HTTP request: request line and header fields (RFC 9112). Boost.Beast parses it.
//
// What two programs could read in two ways is refused, since a proxy before this server may be the
// other one: two lengths, a length and a transfer coding, line ends without CR, spaces before a colon,
// folded lines.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lmpo {

struct HttpHead {
  std::string method;  // GET, HEAD or POST
  std::string path;    // begins with a slash; without the query
  bool is_version_1_0 = false;
  bool keep_alive = true;  // the connection may be used again
  bool expects_continue = false;
  std::size_t content_length = 0;
  std::string authorization;
};

inline constexpr std::size_t kLongestHead = 32 * 1024;  // bytes
inline constexpr std::size_t kLongestPath = 1024;

// `text` is all before the body, the empty line too. HttpError: 400 for what is not HTTP or is
// ambiguous, 404 (path), 405 (method), 411 (a body without a length), 413 (a body longer than
// `longest_body`), 415 (not JSON), 417, 505.
HttpHead parse_head(std::string_view text, std::size_t longest_body);

// The end of the head that these bytes begin with, behind its empty line; nothing if it is not whole.
std::optional<std::size_t> end_of_head(std::string_view bytes);

}  // namespace lmpo
