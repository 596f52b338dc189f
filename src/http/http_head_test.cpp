// Heads of requests: what is read of them, and the status for each that could mislead.
#include "http/http_head.h"

#include <gmock/gmock.h>

#include "http/http_error.h"

namespace lmpo::http_head_test {
namespace {

constexpr std::size_t kLongestBody = 1000;

HttpHead head_of(const std::string& text) {
  return parse_head(text, kLongestBody);
}

std::string post(const std::string& fields) {
  return "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + fields +
         "\r\n";
}

int status_of(const std::string& text) {
  try {
    head_of(text);
    return 200;
  } catch (const HttpError& error) {
    return error.status();
  }
}

TEST(HttpHead, SaysWhatIsAskedFor) {
  const HttpHead head = head_of(
      "POST /v1/models/a%20b?x=1#y HTTP/1.1\r\nhost: a\r\nCONTENT-LENGTH:  12 \r\n"
      "Content-Type: application/json; charset=utf-8\r\nAuthorization: Bearer a%20b\r\n"
      "Expect: 100-Continue\r\nAccept-Encoding: gzip\r\nRange: bytes=0-1\r\n\r\n");
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/v1/models/a b");
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_EQ(head.authorization, "Bearer a%20b");
  EXPECT_TRUE(head.expects_continue && head.keep_alive);
  EXPECT_FALSE(head.is_version_1_0);
}

TEST(HttpHead, ConnectionsStayOpenAsTheVersionSays) {
  EXPECT_TRUE(head_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n").keep_alive);
  EXPECT_FALSE(head_of("GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n").keep_alive);
  EXPECT_FALSE(head_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(head_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

TEST(HttpHead, WhatCouldBeReadInTwoWaysIsRefused) {
  const std::vector<std::pair<std::string, int>> heads = {
      {post("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 411},
      {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 411},
      {post("Transfer-Encoding: chunked\r\n"), 411},
      {post("Transfer-Encoding: xchunked\r\n"), 411},
      {post("Content-Length: +5\r\n"), 400},
      {post("Content-Length: 5, 5\r\n"), 400},
      {post("Content-Length: 0x5\r\n"), 400},
      {post("Content-Length: -1\r\n"), 400},
      {post("Content-Length: \r\n"), 400},
      {post("Content-Length: 5 5\r\n"), 400},
      {post("Content-Length : 5\r\n"), 400},
      {post("Content-Length\t: 5\r\n"), 400},
      {post("Content-Length:\v5\r\n"), 400},
      {post("Content-Length: 5\r\nTransfer-Encoding: identity\r\n"), 411},
      {post("Content-Length: 5\r\nTransfer-Encoding : chunked\r\n"), 400},
      {post("Content-Length: 5\r\nTransfer-Encoding\r\n: chunked\r\n"), 400},
      {post("Content-Length: 5\r\nTransfer-Encoding:\r\n\tchunked\r\n"), 411},
      {post("Content-Length: 5\r\nX: a\r\n\tb\r\n"), 400},
      {post(" Content-Length: 5\r\n"), 400},
      {post("X: a\r\n Content-Length: 5\r\n"), 400},
      {post("X: a\nContent-Length: 5\r\n"), 400},
      {post("X: a\rContent-Length: 5\r\n"), 400},
      {post(std::string("X: a\0b\r\nContent-Length: 5\r\n", 27)), 400},
      {post("Content-Length: 5\r\nHost: b\r\n"), 400},
      {post("no colon\r\n"), 400},
      {post(": no name\r\n"), 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
      {"GET / HTTP/1.1\n\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},  // no Host
  };
  for (const auto& [text, status] : heads) {
    EXPECT_EQ(status_of(text), status) << text;
  }
}

TEST(HttpHead, OtherRefusalsHaveTheirStatus) {
  const std::vector<std::pair<std::string, int>> heads = {
      {"", 400},
      {"\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /% HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET / SPDY/3\r\nHost: a\r\n\r\n", 400},
      {"DELETE /v1/models/a HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"GET /" + std::string(1100, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {post(""), 411},
      {post("Content-Length: 1001\r\n"), 413},
      {post("Content-Length: 99999999999999999999999\r\n"), 400},
      {post("Content-Length: 1000\r\n"), 200},
      {post("Content-Length: 5\r\nContent-Encoding: gzip\r\n"), 415},
      {post("Content-Length: 5\r\nContent-Encoding: identity\r\n"), 200},
      {post("Content-Length: 5\r\nExpect: 200-maybe\r\n"), 417},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n", 415},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\n", 415},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Type: "
       "multipart/form-data\r\n\r\n",
       415}};
  for (const auto& [text, status] : heads) {
    EXPECT_EQ(status_of(text), status) << text.substr(0, 80);
  }
}

TEST(HttpHead, EndsAtItsEmptyLine) {
  EXPECT_EQ(end_of_head("GET / HTTP/1.1\r\nHost: a\r\n"), std::nullopt);
  EXPECT_EQ(end_of_head("GET / HTTP/1.1\r\nHost: a\r\n\r"), std::nullopt);
  EXPECT_EQ(end_of_head("a\r\n\r\nb\r\n\r\n"), 5U);
  EXPECT_EQ(end_of_head("a\n\nb\r\n\r\n"), 3U);  // so that nobody waits for what will not come
}

}  // namespace
}  // namespace lmpo::http_head_test
