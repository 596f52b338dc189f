#include "http/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/library.h"

namespace lmpo {
namespace {

// What is used of the library.
struct Curl {
  LoadedLibrary loaded{"libcurl.so.4"};
  LMPO_LIBRARY_MEMBER(curl_global_init);
  LMPO_LIBRARY_MEMBER(curl_easy_init);
  LMPO_LIBRARY_MEMBER(curl_easy_cleanup);
  LMPO_LIBRARY_MEMBER(curl_easy_setopt);
  LMPO_LIBRARY_MEMBER(curl_easy_perform);
  LMPO_LIBRARY_MEMBER(curl_easy_getinfo);
  LMPO_LIBRARY_MEMBER(curl_easy_strerror);
  LMPO_LIBRARY_MEMBER(curl_slist_append);
  LMPO_LIBRARY_MEMBER(curl_slist_free_all);
  LMPO_LIBRARY_MEMBER(curl_url);
  LMPO_LIBRARY_MEMBER(curl_url_set);
  LMPO_LIBRARY_MEMBER(curl_url_strerror);
  LMPO_LIBRARY_MEMBER(curl_url_cleanup);
};

Curl set_up_curl() {
  Curl library;
  if (library.loaded.missing().empty() &&
      library.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    machine_error("the library libcurl cannot be set up");
  }
  return library;
}

const Curl& curl() {
  static const Curl loaded = set_up_curl();
  return loaded;
}

// Of plain types, because HttpClient::Impl holds them.
using Handle = std::unique_ptr<CURL, void (*)(CURL*)>;
using HeaderList = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

Handle new_handle() {
  Handle handle(curl().curl_easy_init(), curl().curl_easy_cleanup);
  if (handle == nullptr) {
    machine_error("no memory for a call over HTTP");
  }
  return handle;
}

void add_field(HeaderList& list, const std::string& field) {
  curl_slist* longer = curl().curl_slist_append(list.get(), field.c_str());
  if (longer == nullptr) {
    machine_error("no memory for a call over HTTP");
  }
  static_cast<void>(list.release());  // it is part of the longer one
  list.reset(longer);
}

std::string checked_url(std::string url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    user_error("'{}' is not the URL of an API: one like https://api.openai.com/v1 was expected",
               url);
  }
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl().curl_url(), curl().curl_url_cleanup);
  const CURLUcode error =
      curl().curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_DISALLOW_USER);
  if (error == CURLUE_USER_NOT_ALLOWED) {  // it is a secret, so the message has no URL
    user_error("the URL of an API has no user name and password; remove what is before the @");
  }
  if (error != CURLUE_OK || url.find_first_of("?#") != std::string::npos) {
    user_error(
        "'{}' is not the URL of an API ({}): one like https://api.openai.com/v1 was expected", url,
        error != CURLUE_OK ? curl().curl_url_strerror(error) : "it has a ? or #");
  }
  while (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

void check_header(const std::string& field) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
  const std::size_t colon = field.find(':');
  if (colon == std::string::npos) {  // its value may be a key, so no message has it
    user_error("a field of an HTTP header has no colon: 'NAME: VALUE' was expected");
  }
  if (std::ranges::any_of(field, is_control)) {
    user_error(
        "the value of the HTTP header field '{}' has a line end or another control character; "
        "remove it",
        field.substr(0, colon));
  }
}

// The file of certificates that the user trusts instead of the system's; empty: none.
std::string own_certificates() {
  for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    if (const char* file = std::getenv(name); file != nullptr && *file != '\0') {
      return file;
    }
  }
  return "";
}

HttpFailure failure_of(CURLcode code) {
  switch (code) {
    case CURLE_OK:
      return HttpFailure::none;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return HttpFailure::unreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return HttpFailure::timed_out;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return HttpFailure::closed;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return HttpFailure::tls;
    case CURLE_OUT_OF_MEMORY:
      machine_error("no memory for a call over HTTP");
    default:
      return HttpFailure::bad_reply;
  }
}

struct ReplyBody {
  std::string text = {};
  std::size_t longest = 0;
  bool is_too_long = false;
};

// libcurl calls it with each part of the body. Another return value than `size` ends the call.
std::size_t add_part(char* data, std::size_t, std::size_t size, void* to) {
  ReplyBody& body = *static_cast<ReplyBody*>(to);
  if (size > body.longest - body.text.size()) {
    body.is_too_long = true;
    return 0;
  }
  body.text.append(data, size);
  return size;
}

}  // namespace

struct HttpClient::Impl {
  // A connection that no call uses, or a new one.
  Handle take();
  void give_back(Handle handle);
  void set_up(CURL* handle, const std::string& url, const std::string& json) const;
  template <typename Value>
  static void set(CURL* handle, CURLoption option, Value value) {
    LMPO_CHECK(curl().curl_easy_setopt(handle, option, value) == CURLE_OK);
  }

  std::string base_url;
  HttpClientOptions options;
  std::string certificates = own_certificates();
  HeaderList headers{nullptr, curl().curl_slist_free_all};
  std::mutex mutex;
  std::vector<Handle> idle;
};

Handle HttpClient::Impl::take() {
  const std::lock_guard lock(mutex);
  if (idle.empty()) {
    return new_handle();
  }
  Handle handle = std::move(idle.back());
  idle.pop_back();
  return handle;
}

void HttpClient::Impl::give_back(Handle handle) {
  const std::lock_guard lock(mutex);
  idle.push_back(std::move(handle));
}

void HttpClient::Impl::set_up(CURL* handle, const std::string& url, const std::string& json) const {
  set(handle, CURLOPT_URL, url.c_str());
  set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(handle, CURLOPT_NOSIGNAL, 1L);  // this process has more than one thread
  set(handle, CURLOPT_TCP_KEEPALIVE, 1L);
  set(handle, CURLOPT_HTTPHEADER, headers.get());
  set(handle, CURLOPT_USERAGENT, "lmpo");
  set(handle, CURLOPT_POSTFIELDS, json.c_str());
  set(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
  set(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_time.count()));
  set(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(options.total_time.count()));
  set(handle, CURLOPT_WRITEFUNCTION, &add_part);
  if (!certificates.empty()) {
    set(handle, CURLOPT_CAINFO, certificates.c_str());
  }
}

HttpClient::HttpClient(const std::string& base_url, HttpClientOptions options) {
  if (const std::string& missing = curl().loaded.missing(); !missing.empty()) {
    user_error("a call over HTTP {}", needs_library("libcurl", missing, "libcurl4"));
  }
  impl_ = std::make_unique<Impl>();
  impl_->base_url = checked_url(base_url);
  impl_->options = std::move(options);
  add_field(impl_->headers, "Content-Type: application/json");
  add_field(impl_->headers, "Expect:");  // not every server knows this question before a long body
  for (const std::string& field : impl_->options.headers) {
    check_header(field);
    add_field(impl_->headers, field);
  }
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

HttpResult HttpClient::post(std::string_view path, const std::string& json) const {
  Handle handle = impl_->take();
  std::array<char, CURL_ERROR_SIZE> problem{};
  ReplyBody body = {.longest = impl_->options.longest_reply};
  const std::string url = impl_->base_url + std::string(path);
  impl_->set_up(handle.get(), url, json);
  Impl::set(handle.get(), CURLOPT_ERRORBUFFER, problem.data());
  Impl::set(handle.get(), CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl().curl_easy_perform(handle.get());
  HttpResult result = {.failure = failure_of(code)};
  if (code == CURLE_OK) {
    long status = 0;
    curl_off_t seconds = 0;
    curl().curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    curl().curl_easy_getinfo(handle.get(), CURLINFO_RETRY_AFTER, &seconds);
    result.status = static_cast<int>(status);
    result.body = std::move(body.text);
    if (seconds > 0) {
      result.retry_after = std::chrono::seconds(seconds);
    }
  } else if (body.is_too_long) {
    result.problem = fmt::format("the reply is longer than {} bytes", body.longest);
  } else {
    result.problem = problem[0] != '\0' ? problem.data() : curl().curl_easy_strerror(code);
  }
  impl_->give_back(std::move(handle));
  return result;
}

}  // namespace lmpo
