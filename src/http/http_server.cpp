#include "http/http_server.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <system_error>
#include <thread>

#include "base/descriptor.h"
#include "base/elapsed.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/listening_socket.h"
#include "http/open_connections.h"
#include "http/reply_writer.h"

namespace lmpo {
namespace {

constexpr std::int64_t kOtherFiles = 64;  // descriptors that are not connections

// As many connections as there are descriptors for.
std::int64_t most_connections(std::int64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return wanted;
  }
  return std::max<std::int64_t>(
      1, std::min(wanted, static_cast<std::int64_t>(limit.rlim_cur) - kOtherFiles));
}

// Reads what still comes, so that closing does not take the reply from the client.
void read_to_end(int socket) {
  constexpr std::chrono::milliseconds kLongest{2000};
  const auto end = std::chrono::steady_clock::now() + kLongest;
  std::array<char, 16384> ignored;
  ::shutdown(socket, SHUT_WR);
  while (std::chrono::steady_clock::now() < end && wait_for_socket(socket, POLLIN, kLongest) &&
         ::recv(socket, ignored.data(), ignored.size(), 0) > 0) {
  }
}

}  // namespace

struct HttpServer::Impl {
  Impl(const std::string& host, int wanted_port, const HttpLimits& given, Calls what)
      : limits(given), calls(std::move(what)), listener(listen_on(host, wanted_port)) {
    limits.connections = most_connections(limits.connections);
  }

  void start_thread(Descriptor socket);
  void serve_connection(int socket);
  // Requests of a connection, one after another. HttpError for one that cannot be read.
  void answer_requests(Connection& connection);
  // False where the connection cannot be used further.
  bool answer(Connection& connection, const HttpHead& head, const HttpRequest& request);
  void refuse(Connection& connection, const HttpError& error);

  HttpLimits limits;
  Calls calls;
  const Descriptor listener;
  std::atomic<bool> stopping = false;
  OpenConnections open;
};

// Each connection has a thread of its own.
void HttpServer::Impl::start_thread(Descriptor socket) {
  open.add_thread();
  const auto work = [this, number = socket.release()] {
    serve_connection(number);
    open.remove_thread();
  };
  try {
    std::thread(work).detach();
  } catch (const std::system_error&) {
    work();  // the machine has no more threads: others wait meanwhile
  }
}

void HttpServer::Impl::serve_connection(int socket) {
  const Descriptor owner(socket);
  Connection connection(socket, limits);
  const bool is_open = open.add(socket, limits.connections);
  try {
    if (!is_open) {
      throw HttpError(503, "The server has too many connections");
    }
    answer_requests(connection);
  } catch (const HttpError& error) {
    refuse(connection, error);
    read_to_end(socket);
  } catch (const std::exception& error) {
    log_error("a connection was closed: {}", error.what());
  }
  if (is_open) {
    open.remove(socket);
  }
}

void HttpServer::Impl::answer_requests(Connection& connection) {
  for (bool again = true; again;) {
    auto received = connection.read_request(stopping);
    if (!received) {
      return;
    }
    received->head.keep_alive = received->head.keep_alive && !stopping;
    const HttpRequest request = {.method = received->head.method,
                                 .path = received->head.path,
                                 .authorization = received->head.authorization,
                                 .body = std::move(received->body),
                                 .client_gone = [&connection] { return connection.is_closed(); }};
    again = answer(connection, received->head, request) && received->head.keep_alive;
  }
}

bool HttpServer::Impl::answer(Connection& connection, const HttpHead& head,
                              const HttpRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  const HttpReply reply = calls.answer(request);
  const auto note = [&] {
    calls.done(request, reply.status, seconds_since(start), reply.note ? *reply.note : "");
  };
  if (!reply.stream) {
    note();
    return write_reply(connection, head, reply);
  }
  StreamWriter writer(connection, head, reply);
  reply.stream([&writer](std::string_view part) { return writer.send(part); });
  note();
  return writer.finish();
}

void HttpServer::Impl::refuse(Connection& connection, const HttpError& error) {
  HttpHead last;
  last.keep_alive = false;
  write_reply(connection, last, calls.refuse(error));
  calls.done({}, error.status(), 0, error.what());
}

HttpServer::HttpServer(const std::string& host, int port, const HttpLimits& limits, Calls calls)
    : impl_(std::make_unique<Impl>(host, port, limits, std::move(calls))) {}

HttpServer::~HttpServer() = default;

int HttpServer::port() const {
  return port_of(impl_->listener);
}

void HttpServer::stop() {
  impl_->stopping = true;
  ::shutdown(impl_->listener.get(), SHUT_RDWR);  // ends the wait for a connection
}

void HttpServer::run() {
  constexpr std::chrono::milliseconds kLastReplies{5000};
  Impl& server = *impl_;
  for (;;) {
    Descriptor socket = next_connection(server.listener, server.stopping);
    if (!socket.is_open()) {
      break;
    }
    server.start_thread(std::move(socket));
  }
  if (!server.open.wait_for_end(server.limits.grace)) {
    server.calls.end_all();
    if (!server.open.wait_for_end(kLastReplies)) {
      server.open.break_all();
      server.open.wait_for_end();
    }
  }
}

}  // namespace lmpo
