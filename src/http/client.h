// Calls of servers over HTTP and HTTPS, by libcurl, which is loaded for the first client.
//
// Certificates are checked against those of the system, or of the file that the variable
// CURL_CA_BUNDLE or SSL_CERT_FILE names, as by the program curl. The variables http_proxy, https_proxy,
// all_proxy and no_proxy are honoured. Redirections are not followed: their status is returned.
// Nothing is logged, so no key is.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmpo {

struct HttpClientOptions {
  // "Authorization: Bearer KEY"; sent with each request.
  std::vector<std::string> headers = {};
  std::chrono::milliseconds connect_time{10'000};
  std::chrono::milliseconds total_time{600'000};      // of a call, until its reply is there
  std::size_t longest_reply = std::size_t{64} << 20;  // bytes of its body
};

// Why there is no reply.
enum class HttpFailure {
  none,
  unreachable,  // the name was not found, or nothing answered at the address
  timed_out,    // while connecting, or before the reply was whole
  closed,       // the connection was closed before the reply was whole
  tls,          // no encrypted connection, or a certificate that is not trusted
  bad_reply     // it was not HTTP, or too long
};

struct HttpResult {
  HttpFailure failure = HttpFailure::none;
  // Of a failure, for a person: "Failed to connect to localhost port 9 after 0 ms: Couldn't connect
  // to server". Has the server's name, but nothing that was sent.
  std::string problem = {};
  // Of a reply, which may be a refusal: look at `status` first.
  int status = 0;
  std::string body = {};
  std::optional<std::chrono::seconds> retry_after = {};  // where the server says when to ask again
};

// Thread-safe: calls run at the same time, each over a connection of its own. A connection is used
// again by the next call.
class HttpClient {
 public:
  // `base_url`: "https://api.openai.com/v1"; a slash at its end does nothing. UserError where it is
  // no URL of HTTP, has a name and password, a query or a fragment; where a header has a line end;
  // where libcurl is not installed.
  HttpClient(const std::string& base_url, HttpClientOptions options);
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // Sends `json` to the base URL with `path` behind it, "/chat/completions". Every failure of the
  // network is a result. MachineError where memory is out.
  HttpResult post(std::string_view path, const std::string& json) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
