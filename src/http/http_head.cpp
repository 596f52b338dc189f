#include "http/http_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "http/http_error.h"

namespace lmpo {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

[[noreturn]] void refuse_head(int status, const std::string& message) {
  throw HttpError(status, message);
}

std::string lower(std::string_view text) {
  std::string all(text);
  std::ranges::transform(all, all.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return all;
}

bool is_token_character(unsigned char c) {
  const bool alphanumeric =
      (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return alphanumeric ||
         (c != 0 &&
          std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_character);
}

std::string_view without_spaces(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(begin);
  const std::size_t last = text.find_last_not_of(" \t");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// Visible characters, spaces and tabs; bytes above 127 are allowed in values.
bool is_plain(std::string_view text) {
  return std::ranges::none_of(text,
                              [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7F; });
}

std::string decoded_path(std::string_view path) {
  std::string decoded;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      decoded += path[i];
      continue;
    }
    unsigned byte = 0;
    const char* begin = path.data() + i + 1;
    const char* end = i + 3 <= path.size() ? begin + 2 : begin;
    const auto [read, error] = std::from_chars(begin, end, byte, 16);
    if (begin == end || error != std::errc() || read != end) {
      refuse_head(400, "Invalid path: % without two hexadecimal digits");
    }
    decoded += static_cast<char>(byte);
    i += 2;
  }
  return decoded;
}

void read_request_line(std::string_view line, HttpHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    refuse_head(400, "Invalid request line: METHOD PATH HTTP/1.1 was expected");
  }
  head.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(head.method) || target.find_first_of(" \t") != std::string_view::npos ||
      !is_plain(target)) {
    refuse_head(400, "Invalid request line: METHOD PATH HTTP/1.1 was expected");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    refuse_head(version.starts_with("HTTP/") ? 505 : 400, "Only HTTP/1.1 and HTTP/1.0 are served");
  }
  head.is_version_1_0 = version == "HTTP/1.0";
  head.keep_alive = !head.is_version_1_0;
  if (head.method != "GET" && head.method != "HEAD" && head.method != "POST") {
    refuse_head(405, fmt::format("The method {} is not served; GET and POST are",
                                 head.method.substr(0, 40)));
  }
  if (!target.starts_with('/')) {
    refuse_head(400, "Invalid path: it does not begin with a slash");
  }
  const std::string_view path =
      target.substr(0, std::min(target.find_first_of("?#"), target.size()));
  if (path.size() > kLongestPath) {
    refuse_head(414, fmt::format("The path has more than {} characters", kLongestPath));
  }
  head.path = decoded_path(path);
}

std::size_t read_length(std::string_view value) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
  const bool digits = std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  if (value.empty() || !digits ||
      (error != std::errc() && error != std::errc::result_out_of_range)) {
    refuse_head(400, "Invalid Content-Length: digits were expected");
  }
  return error == std::errc::result_out_of_range ? static_cast<std::size_t>(-1) : length;
}

// What of a head's fields matters here.
struct KnownFields {
  std::optional<std::size_t> length = {};
  std::optional<std::string> type = {};
  int hosts = 0;
};

void read_field(std::string_view name, std::string_view value, HttpHead& head, KnownFields& known) {
  if (name == "content-length") {
    if (known.length) {
      refuse_head(400, "The request has two Content-Length fields");
    }
    known.length = read_length(value);
  } else if (name == "transfer-encoding") {
    // Whoever sends a body in pieces and a length, too, tries to be read in two ways.
    refuse_head(411, "Transfer-Encoding is not supported: send the body with a Content-Length");
  } else if (name == "content-encoding" && lower(value) != "identity") {
    refuse_head(415, "Content-Encoding is not supported: send the body as it is");
  } else if (name == "content-type") {
    known.type = lower(without_spaces(value.substr(0, std::min(value.find(';'), value.size()))));
  } else if (name == "expect") {
    if (lower(value) != "100-continue") {
      refuse_head(417, "Only Expect: 100-continue is supported");
    }
    head.expects_continue = true;
  } else if (name == "connection") {
    const std::string wish = lower(value);
    head.keep_alive =
        head.is_version_1_0 ? wish == "keep-alive" : wish.find("close") == std::string::npos;
  } else if (name == "authorization") {
    head.authorization = value;
  } else if (name == "host" && ++known.hosts > 1) {
    refuse_head(400, "The request has two Host fields");
  }
}

void check_body(const HttpHead& head, const KnownFields& known, std::size_t longest_body) {
  if (head.method != "POST") {
    if (known.length.value_or(0) > 0) {
      refuse_head(400, fmt::format("A {} request has no body", head.method));
    }
    return;
  }
  if (!known.length) {
    refuse_head(411, "The request has no Content-Length");
  }
  if (*known.length > longest_body) {
    refuse_head(413, fmt::format("The request's body is longer than {} bytes, the server's limit",
                                 longest_body));
  }
  // Pages of other sites may send any other type to a server on this machine without asking.
  if (known.type != "application/json") {
    refuse_head(415,
                "The body's type was expected to be JSON: send Content-Type: application/json");
  }
}

}  // namespace

std::optional<std::size_t> end_of_head(std::string_view bytes) {
  const std::size_t strict = bytes.find("\r\n\r\n");
  const std::size_t bare = bytes.find("\n\n");  // parse_head refuses it
  if (strict == std::string_view::npos && bare == std::string_view::npos) {
    return std::nullopt;
  }
  return strict < bare ? strict + 4 : bare + 2;
}

HttpHead parse_head(std::string_view text, std::size_t longest_body) {
  HttpHead head;
  KnownFields known;
  bool is_first = true;
  while (!text.empty()) {
    const std::size_t end = text.find(kLineEnd);
    if (end == std::string_view::npos) {
      refuse_head(400, "Invalid header: a line does not end with CR LF");
    }
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + kLineEnd.size());
    if (!is_plain(line)) {
      refuse_head(400, "Invalid header: it has a control character");
    }
    if (std::exchange(is_first, false)) {
      read_request_line(line, head);
      continue;
    }
    if (line.empty()) {
      break;
    }
    const std::size_t colon = std::min(line.find(':'), line.size());
    if (colon == line.size() || !is_token(line.substr(0, colon))) {
      refuse_head(400, "Invalid header: NAME: VALUE was expected in each line");
    }
    read_field(lower(line.substr(0, colon)), without_spaces(line.substr(colon + 1)), head, known);
  }
  if (known.hosts == 0 && !head.is_version_1_0) {
    refuse_head(400, "The request has no Host field");
  }
  check_body(head, known, longest_body);
  head.content_length = known.length.value_or(0);
  return head;
}

}  // namespace lmpo
