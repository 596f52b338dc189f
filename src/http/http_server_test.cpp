// The server's connections over loopback. src/serve/connections_test.cpp has more.
#include "http/http_server.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include "base/descriptor.h"
#include "base/log.h"
#include "http/testing/echo_server.h"
#include "http/testing/raw_client.h"

namespace lmpo::http_server_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

HttpAnswer answer_to(const EchoServer& server, const std::string& request) {
  RawClient client(server.port());
  client.send(request);
  return client.answer();
}

TEST(HttpServer, AnswersWithABody) {
  const EchoServer server;
  const HttpAnswer answer = answer_to(server, http_get("/a?b"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "GET /a  ");
  for (const char* field : {"Content-Type: application/json\r\n", "Content-Length: 8\r\n",
                            "Connection: keep-alive\r\n", "X-Frame-Options: DENY\r\n",
                            "X-Content-Type-Options: nosniff\r\n", "Cache-Control: no-cache\r\n"}) {
    EXPECT_THAT(answer.head, HasSubstr(field));
  }
  EXPECT_EQ(answer_to(server, http_post("/v1/busy", "{}")).status, 429);
}

TEST(HttpServer, AnswersInParts) {
  const EchoServer server;
  RawClient client(server.port());
  for (int i = 0; i < 2; ++i) {  // the connection stays open
    client.send(http_post("/v1/stream", "{}"));
    const HttpAnswer answer = client.answer();
    EXPECT_THAT(answer.head, HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(answer.head, Not(HasSubstr("Content-Length")));
    EXPECT_EQ(answer.body, "POST /v1/stream  {}");
  }
  RawClient old(server.port());
  old.send(
      "POST /v1/stream HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
      "Connection: keep-alive\r\n\r\n{}");
  const HttpAnswer plain = old.answer();
  EXPECT_THAT(plain.head, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(plain.head, Not(HasSubstr("chunked")));
  EXPECT_EQ(plain.body, "POST /v1/stream  {}");
}

TEST(HttpServer, HeadIsAnsweredWithoutABody) {
  const EchoServer server;
  RawClient client(server.port());
  client.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + http_get("/b", "Connection: close\r\n"));
  EXPECT_TRUE(client.read_until("\r\n\r\nHTTP/1.1 200"));
  EXPECT_THAT(client.received(), HasSubstr("Content-Length: 9\r\n"));
}

TEST(HttpServer, ConnectionsStayOpenForAsLongAsTheClientWishes) {
  const EchoServer server;
  RawClient client(server.port());
  client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.answer().head, HasSubstr("Connection: keep-alive\r\n"));
  client.send(http_get("/b", "Connection: close\r\n"));
  EXPECT_THAT(client.answer().head, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(client.answer().status, 0);
}

// Takes all file descriptors of this process.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 100;
    ::setrlimit(RLIMIT_NOFILE, &low);
    for (int taken = ::dup(STDERR_FILENO); taken >= 0; taken = ::dup(STDERR_FILENO)) {
      taken_.emplace_back(taken);
    }
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
  std::vector<Descriptor> taken_;
};

TEST(HttpServer, WithoutDescriptorsConnectionsWaitUntilThereAreSome) {
#ifdef __has_feature
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "the sanitizers' checks of types need descriptors";
#endif
#endif
  ::testing::internal::CaptureStderr();
  const EchoServer server;
  RawClient before(server.port());
  before.send(http_get("/a"));
  EXPECT_EQ(before.answer().status, 200);
  RawClient late;
  {
    const NoDescriptors none;
    late.connect(server.port());
    late.send(http_get("/c"));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    before.send(http_get("/b"));  // who is connected is answered
    EXPECT_EQ(before.answer().body, "GET /b  ");
    EXPECT_EQ(late.received(), "");
  }
  EXPECT_EQ(late.answer().body, "GET /c  ");
  EXPECT_EQ(answer_to(server, http_get("/d")).body, "GET /d  ");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("new connections wait: Too many open files"));
}

}  // namespace
}  // namespace lmpo::http_server_test
