#include "http/http_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <charconv>

#include "http/http_error.h"

namespace lmpo {
namespace {

namespace beast = boost::beast;
using beast::http::field;
using beast::http::verb;
using Parser = beast::http::request_parser<beast::http::empty_body>;
using Request = Parser::value_type;

[[noreturn]] void refuse_head(int status, const std::string& message) {
  throw HttpError(status, message);
}

std::string decoded_path(beast::string_view path) {
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

// A version of HTTP such as HTTP/2.0, not any other text.
bool has_other_version(std::string_view text) {
  const std::string_view line = text.substr(0, text.find("\r\n"));
  const std::string_view version = line.substr(std::min(line.rfind(' '), line.size()));
  return version.size() == 9 && version.starts_with(" HTTP/") && std::ranges::count(line, ' ') == 2;
}

[[noreturn]] void refuse(std::string_view text, const Request& read, beast::error_code problem) {
  using beast::http::error;
  if (problem == error::bad_transfer_encoding || read.count(field::transfer_encoding) > 0) {
    refuse_head(411, "Transfer-Encoding is not supported: send the body with a Content-Length");
  }
  if (problem == error::bad_content_length) {
    refuse_head(400, read.count(field::content_length) > 0
                         ? "The request has two Content-Length fields"
                         : "Invalid Content-Length: one number of bytes was expected");
  }
  if (problem == error::bad_version && has_other_version(text)) {
    refuse_head(505, "Only HTTP/1.1 and HTTP/1.0 are served");
  }
  if (problem == error::bad_method || problem == error::bad_target ||
      problem == error::bad_version) {
    refuse_head(400, "Invalid request line: METHOD PATH HTTP/1.1 was expected");
  }
  if (problem == error::bad_field) {
    refuse_head(400, "Invalid header: NAME: VALUE was expected in each line");
  }
  if (problem == error::bad_value) {
    refuse_head(400, "Invalid header: a value has a control character, or is not one of its field");
  }
  refuse_head(400, fmt::format("Invalid header: {}", problem.message()));
}

void read_request_line(const Request& request, HttpHead& head) {
  head.method = request.method_string().to_string();
  if (request.method() != verb::get && request.method() != verb::head &&
      request.method() != verb::post) {
    refuse_head(405, fmt::format("The method {} is not served; GET and POST are",
                                 head.method.substr(0, 40)));
  }
  const beast::string_view target = request.target();
  if (!target.starts_with('/')) {
    refuse_head(400, "Invalid path: it does not begin with a slash");
  }
  const beast::string_view path = target.substr(0, target.find_first_of("?#"));
  if (path.size() > kLongestPath) {
    refuse_head(414, fmt::format("The path has more than {} characters", kLongestPath));
  }
  head.path = decoded_path(path);
}

// What the library reads as RFC 9112 allows, and another program might read otherwise.
void refuse_what_is_ambiguous(std::string_view text, const Request& request) {
  if (text.find("\r\n ") != std::string_view::npos ||
      text.find("\r\n\t") != std::string_view::npos) {
    refuse_head(400,
                "Invalid header: NAME: VALUE was expected in each line; one begins with a space");
  }
  if (request.count(field::transfer_encoding) > 0) {
    refuse_head(411, "Transfer-Encoding is not supported: send the body with a Content-Length");
  }
  if (request.count(field::content_length) > 1) {
    refuse_head(400, "The request has two Content-Length fields");
  }
  if (request[field::content_length].find(',') != beast::string_view::npos) {
    refuse_head(400, "Invalid Content-Length: one number of bytes was expected");
  }
  if (request.count(field::host) > 1) {
    refuse_head(400, "The request has two Host fields");
  }
  if (request.count(field::host) == 0 && request.version() > 10) {
    refuse_head(400, "The request has no Host field");
  }
}

bool is_json(beast::string_view type) {
  type = type.substr(0, type.find(';'));
  while (type.ends_with(' ')) {
    type.remove_suffix(1);
  }
  return beast::iequals(type, "application/json");
}

void check_body(const Request& request, std::optional<std::uint64_t> length,
                std::size_t longest_body) {
  if (request.method() != verb::post) {
    if (length.value_or(0) > 0) {
      refuse_head(400,
                  fmt::format("A {} request has no body", request.method_string().to_string()));
    }
    return;
  }
  if (!length) {
    refuse_head(411, "The request has no Content-Length");
  }
  if (*length > longest_body) {
    refuse_head(413, fmt::format("The request's body is longer than {} bytes, the server's limit",
                                 longest_body));
  }
  const beast::string_view encoding = request[field::content_encoding];
  if (!encoding.empty() && !beast::iequals(encoding, "identity")) {
    refuse_head(415, "Content-Encoding is not supported: send the body as it is");
  }
  // Pages of other sites may send any other type to a server on this machine without asking.
  if (!is_json(request[field::content_type])) {
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
  Parser parser;
  parser.header_limit(kLongestHead);
  parser.body_limit(boost::none);
  parser.skip(true);  // the body is not in the text
  beast::error_code problem;
  parser.put(boost::asio::buffer(text), problem);
  const Request& request = parser.get();
  if (problem) {
    refuse(text, request, problem);
  }
  if (!parser.is_header_done()) {
    refuse_head(400, "Invalid header: it does not end with an empty line");
  }
  HttpHead head;
  read_request_line(request, head);
  refuse_what_is_ambiguous(text, request);
  std::optional<std::uint64_t> length;
  if (const auto given = parser.content_length()) {
    length = *given;
  }
  check_body(request, length, longest_body);
  if (const beast::string_view expected = request[field::expect]; !expected.empty()) {
    if (!beast::iequals(expected, "100-continue")) {
      refuse_head(417, "Only Expect: 100-continue is supported");
    }
    head.expects_continue = true;
  }
  head.is_version_1_0 = request.version() == 10;
  head.keep_alive = request.keep_alive();
  head.authorization = request[field::authorization].to_string();
  head.content_length = length.value_or(0);
  return head;
}

}  // namespace lmpo
