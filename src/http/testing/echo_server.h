// A server over loopback that says what it was asked. For tests only.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "http/http_server.h"

namespace lmpo {

class EchoServer {
 public:
  // `before`: called before each reply.
  explicit EchoServer(
      HttpLimits limits = {}, std::function<void()> before = [] {})
      : before_(std::move(before)),
        server_("127.0.0.1", 0, limits,
                {.answer = [this](const HttpRequest& request) { return echo(request); },
                 .refuse =
                     [](const HttpError& error) {
                       return HttpReply{.status = error.status(), .body = error.what()};
                     },
                 .done = [](const HttpRequest&, int, double, const std::string&) {},
                 .end_all = [] {}}),
        thread_([this] { server_.run(); }) {}
  ~EchoServer() {
    server_.stop();
    thread_.join();
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  int port() const { return server_.port(); }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/v1", port()); }

 private:
  // 429 at /v1/busy; in parts at /v1/stream.
  HttpReply echo(const HttpRequest& request) const {
    before_();
    HttpReply reply = {.status = request.path == "/v1/busy" ? 429 : 200,
                       .body = fmt::format("{} {} {} {}", request.method, request.path,
                                           request.authorization, request.body)};
    if (request.path == "/v1/stream") {
      reply.stream = [text = std::move(reply.body)](const SendPart& send) {
        for (const char& character : text) {
          send({&character, 1});
        }
        send("");
      };
    }
    return reply;
  }

  std::function<void()> before_;
  HttpServer server_;
  std::thread thread_;
};

}  // namespace lmpo
