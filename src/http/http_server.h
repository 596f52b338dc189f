// The server's connections: each request is read whole, strictly and within limits, then answered by
// the thread of its connection. HTTP/1.1 and HTTP/1.0, without encryption: a proxy adds that.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/http.h"
#include "http/http_error.h"

namespace lmpo {

struct HttpLimits {
  std::size_t body = std::size_t{16} << 20;  // bytes
  std::int64_t connections = 256;            // more are refused with 503
  std::chrono::milliseconds head_time{10'000};
  std::chrono::milliseconds body_time{60'000};
  std::chrono::milliseconds idle_time{30'000};   // between two requests of a connection
  std::chrono::milliseconds write_time{30'000};  // without the client reading anything
  std::chrono::milliseconds grace{30'000};       // for what runs when the server is to end
};

class HttpServer {
 public:
  struct Calls {
    // By a thread of the connection. Must not throw.
    std::function<HttpReply(const HttpRequest&)> answer;
    // The reply where a request cannot be read, or comes over one connection too many (503).
    std::function<HttpReply(const HttpError&)> refuse;
    // When a reply is at its end, or a request was refused before there was one to answer.
    std::function<void(const HttpRequest&, int status, double seconds, const std::string& note)>
        done;
    // The grace is over: what still runs is to end now.
    std::function<void()> end_all;
  };

  // Listens. Port 0 is any that is free. UserError if it cannot.
  HttpServer(const std::string& host, int port, const HttpLimits& limits, Calls calls);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  // Serves until stop(). Returns when the last connection is closed.
  void run();
  // From any thread, at any time, more than once.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
