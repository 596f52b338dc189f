// The server's connections: cpp-httplib, and before it a guard that reads each request whole, strictly
// and within limits.
//
// cpp-httplib 0.11 alone would read bodies in pieces of any total, unpack compressed ones, take a GET's
// body for the next request, and give a client that sends a byte a second all the time it wants.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "serve/http.h"

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
