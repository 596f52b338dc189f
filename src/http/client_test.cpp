// Calls of servers over loopback: of our own, and of some that misbehave.
#include "http/client.h"

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/testing/test_folder.h"
#include "http/testing/echo_server.h"
#include "http/testing/scripted_server.h"

namespace lmpo::client_test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The result of one call to a server that reads the request and does what it is told.
HttpResult call_of(const std::function<void(int socket)>& script, HttpClientOptions options = {}) {
  const ScriptedServer server([&script](int socket) {
    receive_until(socket, "\r\n\r\n{}");
    script(socket);
  });
  const HttpClient client(fmt::format("http://127.0.0.1:{}", server.port()), std::move(options));
  return client.post("/", "{}");
}

HttpResult call_of(const std::string& reply, HttpClientOptions options = {}) {
  return call_of([&reply](int socket) { send_text(socket, reply); }, std::move(options));
}

TEST(HttpClient, PostsToItsUrl) {
  const EchoServer server;
  for (const char* slash : {"", "/", "//"}) {
    const HttpClient client(server.url() + slash, {.headers = {"Authorization: Bearer key"}});
    const HttpResult result = client.post("/chat/completions", R"({"a": 1})");
    EXPECT_EQ(result.failure, HttpFailure::none) << result.problem;
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.body, R"(POST /v1/chat/completions Bearer key {"a": 1})");
    EXPECT_EQ(result.retry_after, std::nullopt);
  }
}

TEST(HttpClient, RefusalsAreReplies) {
  const EchoServer server;
  const HttpResult result = HttpClient(server.url(), {}).post("/busy", "{}");
  EXPECT_EQ(result.failure, HttpFailure::none);
  EXPECT_EQ(result.status, 429);
  EXPECT_EQ(result.body, "POST /v1/busy  {}");
}

TEST(HttpClient, SaysWhenToAskAgain) {
  const HttpResult result =
      call_of("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nwait");
  EXPECT_EQ(result.status, 429);
  EXPECT_EQ(result.retry_after, 7s);
  EXPECT_EQ(result.body, "wait");
}

TEST(HttpClient, RedirectionsAreNotFollowed) {
  const HttpResult result = call_of(
      "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(result.failure, HttpFailure::none);
  EXPECT_EQ(result.status, 307);
}

TEST(HttpClient, RepliesInPiecesAreJoined) {
  EXPECT_EQ(call_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                .body,
            "abcde");
}

TEST(HttpClient, CallsRunAtTheSameTime) {
  // Each call is answered only when all four callers have come.
  std::atomic<int> waiting = 0;
  const EchoServer server({}, [&waiting] {
    ++waiting;
    while (waiting < 4) {
      std::this_thread::sleep_for(1ms);
    }
  });
  const HttpClient client(server.url(), {});
  std::vector<std::future<void>> calls;
  for (int caller = 0; caller < 4; ++caller) {
    calls.push_back(std::async(std::launch::async, [&client, caller] {
      for (int i = 0; i < 20; ++i) {
        const std::string body = fmt::format("[{}, {}]", caller, i);
        EXPECT_EQ(client.post("/x", body).body, "POST /v1/x  " + body);
      }
    }));
  }
  for (std::future<void>& call : calls) {
    call.get();
  }
}

TEST(HttpClient, AConnectionThatTheServerClosedIsMadeAnew) {
  HttpLimits limits;
  limits.idle_time = 20ms;
  const EchoServer server(limits);
  const HttpClient client(server.url(), {});
  EXPECT_EQ(client.post("/a", "{}").status, 200);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(client.post("/b", "{}").body, "POST /v1/b  {}");
}

TEST(HttpClient, AClosedConnectionIsAResult) {
  for (const char* reply : {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"}) {
    const HttpResult result = call_of(reply);
    EXPECT_EQ(result.failure, HttpFailure::closed) << reply << result.problem;
    EXPECT_NE(result.problem, "");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.body, "");
  }
}

TEST(HttpClient, WhatIsNotHttpIsAResult) {
  for (const char* reply : {"nonsense", "\r\n\r\n\r\n", "HTTP/1.1 banana\r\n\r\n"}) {
    const HttpResult result = call_of(reply);
    EXPECT_EQ(result.failure, HttpFailure::bad_reply) << reply << result.problem;
    EXPECT_NE(result.problem, "");
  }
}

TEST(HttpClient, LongRepliesAreCutOff) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n";
  const HttpResult result = call_of(head + "01234567890", {.longest_reply = 10});
  EXPECT_EQ(result.failure, HttpFailure::bad_reply);
  EXPECT_EQ(result.problem, "the reply is longer than 10 bytes");
  EXPECT_EQ(result.body, "");
  EXPECT_EQ(call_of(head + "01234567890", {.longest_reply = 11}).body, "01234567890");
}

TEST(HttpClient, SilentServersAreLeft) {
  const HttpResult result =
      call_of([](int socket) { receive_until(socket, "never"); }, {.total_time = 100ms});
  EXPECT_EQ(result.failure, HttpFailure::timed_out);
  EXPECT_THAT(result.problem, HasSubstr("timed out"));
}

TEST(HttpClient, ServersThatTrickleAreLeft) {
  const auto trickle = [](int socket) {
    send_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (::send(socket, "x", 1, MSG_NOSIGNAL) == 1) {
      std::this_thread::sleep_for(5ms);
    }
  };
  EXPECT_EQ(call_of(trickle, {.total_time = 100ms}).failure, HttpFailure::timed_out);
}

TEST(HttpClient, AServerThatIsNotThereIsAResult) {
  const int port = port_of(listen_on("127.0.0.1", 0));  // nobody listens any longer
  const HttpResult result =
      HttpClient(fmt::format("http://127.0.0.1:{}", port), {}).post("/", "{}");
  EXPECT_EQ(result.failure, HttpFailure::unreachable);
  EXPECT_THAT(result.problem, HasSubstr("Failed to connect to 127.0.0.1"));
}

TEST(HttpClient, AServerWithoutEncryptionIsNotTakenForOneWithIt) {
  const ScriptedServer server([](int socket) { send_text(socket, "HTTP/1.1 200 OK\r\n\r\n"); });
  const HttpClient client(fmt::format("https://127.0.0.1:{}", server.port()), {});
  EXPECT_EQ(client.post("/", "{}").failure, HttpFailure::tls);
}

// Echoes each body over TLS, with a certificate that nobody vouches for. By the programs openssl and
// python3.
class SelfSignedServer {
 public:
  explicit SelfSignedServer(const fs::path& folder) {
    write_file_atomically(folder / "echo.py", R"(import http.server, ssl
class Echo(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Echo)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("certificate.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
)");
    const std::string command = fmt::format(
        "cd '{}' && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem "
        "-days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null && echo $$ "
        "&& "
        "exec python3 echo.py 2>/dev/null",
        folder.string());
    output_ = ::popen(command.c_str(), "r");
    pid_ = number();
    port_ = number();
  }
  ~SelfSignedServer() {
    if (pid_ > 0) {
      ::kill(pid_, SIGTERM);
    }
    ::pclose(output_);
  }
  SelfSignedServer(const SelfSignedServer&) = delete;
  SelfSignedServer& operator=(const SelfSignedServer&) = delete;

  bool runs() const { return port_ > 0; }
  HttpResult post(const std::string& json) const {
    return HttpClient(fmt::format("https://localhost:{}", port_), {}).post("/", json);
  }

 private:
  int number() {
    std::array<char, 200> buffer{};
    return std::fgets(buffer.data(), buffer.size(), output_) == nullptr ? 0
                                                                        : std::atoi(buffer.data());
  }

  std::FILE* output_;
  pid_t pid_ = 0;
  int port_ = 0;
};

// Sets a variable of the environment for as long as this lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) {
      before_ = before;
    }
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

using HttpCertificates = FolderTest;

TEST_F(HttpCertificates, ThatNobodyVouchesForAreRefused) {
  const SelfSignedServer server(folder_);
  if (!server.runs()) {
    GTEST_SKIP() << "there is no openssl or python3";
  }
  const Variable other("CURL_CA_BUNDLE", "");
  const Variable none("SSL_CERT_FILE", "");
  const HttpResult result = server.post("{}");
  EXPECT_EQ(result.failure, HttpFailure::tls);
  EXPECT_THAT(result.problem, HasSubstr("self-signed certificate"));
}

TEST_F(HttpCertificates, ThatTheUserTrustsAreTaken) {
  const SelfSignedServer server(folder_);
  if (!server.runs()) {
    GTEST_SKIP() << "there is no openssl or python3";
  }
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE"}) {
    const Variable other("CURL_CA_BUNDLE", "");
    const Variable trusted(name, (folder_ / "certificate.pem").string());
    const HttpResult result = server.post(R"({"a": 1})");
    EXPECT_EQ(result.failure, HttpFailure::none) << result.problem;
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.body, R"({"a": 1})");
  }
  const Variable missing("CURL_CA_BUNDLE", (folder_ / "nothing.pem").string());
  EXPECT_EQ(server.post("{}").failure, HttpFailure::tls);
}

TEST(HttpClient, AsksTheProxyOfTheEnvironment) {
  std::promise<std::string> asked;
  const ScriptedServer proxy([&asked](int socket) {
    asked.set_value(receive_until(socket, "{}"));
    send_text(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  ::setenv("http_proxy", fmt::format("127.0.0.1:{}", proxy.port()).c_str(), 1);
  EXPECT_EQ(HttpClient("http://example.invalid/v1", {}).post("/x", "{}").body, "ok");
  ::unsetenv("http_proxy");
  EXPECT_THAT(asked.get_future().get(), HasSubstr("POST http://example.invalid/v1/x HTTP/1.1"));
}

TEST(HttpClient, UrlsThatCannotBeMeantAreRefused) {
  for (const char* url : {"", "api.openai.com/v1", "ftp://a/v1", "http://", "http://a b/",
                          "http://a/v1?key=1", "http://a/#x", "http://a:99999/"}) {
    EXPECT_THAT(user_error_of([url] { HttpClient(url, {}); }),
                HasSubstr("one like https://api.openai.com/v1 was expected"))
        << url;
  }
}

TEST(HttpClient, MessagesHaveNoSecrets) {
  EXPECT_THAT(user_error_of([] { HttpClient("https://me:secret@a/v1", {}); }),
              AllOf(HasSubstr("no user name and password"), Not(HasSubstr("secret"))));
  EXPECT_THAT(user_error_of([] {
                HttpClient("https://a/v1", {.headers = {"Authorization: Bearer secret\n"}});
              }),
              AllOf(HasSubstr("'Authorization' has a line end"), Not(HasSubstr("secret"))));
  EXPECT_THAT(user_error_of([] { HttpClient("https://a/v1", {.headers = {"secret"}}); }),
              AllOf(HasSubstr("no colon"), Not(HasSubstr("secret"))));
}

}  // namespace
}  // namespace lmpo::client_test
