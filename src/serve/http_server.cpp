#include "serve/http_server.h"

#include <httplib.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <system_error>
#include <thread>

#include "base/elapsed.h"
#include "base/error.h"
#include "base/log.h"
#include "serve/api_error.h"
#include "serve/connection.h"
#include "serve/open_connections.h"
#include "serve/responses.h"

namespace lmpo {
namespace {

constexpr int kBacklog = 512;             // connections that wait to be accepted
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

// cpp-httplib's queue of connections: each gets a thread at once.
class ThreadEach final : public httplib::TaskQueue {
 public:
  explicit ThreadEach(OpenConnections& open) : open_(open) {}

  void enqueue(std::function<void()> serve) override {
    open_.add_thread();
    const auto work = [&open = open_, serve = std::move(serve)] {
      serve();
      open.remove_thread();
    };
    try {
      std::thread(work).detach();
    } catch (const std::system_error&) {
      work();  // the machine has no more threads: others wait meanwhile
    }
  }
  void shutdown() override {}

 private:
  OpenConnections& open_;
};

}  // namespace

struct HttpServer::Impl final : httplib::Server {
  Impl(HttpLimits given, Calls what) : limits(given), calls(std::move(what)) {
    limits.connections = most_connections(limits.connections);
    new_task_queue = [this] { return new ThreadEach(open); };
    set_tcp_nodelay(true);
    // Not SO_REUSEPORT, cpp-httplib's default: two servers would share a port without a word.
    set_socket_options([](int socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
    };
    Get("/", handler);
    Post("/", handler);
  }

  void listen_on(const std::string& host_name, int wanted_port);
  void stop_accepting() { ::shutdown(svr_sock_, SHUT_RDWR); }

  bool process_and_close_socket(socket_t socket) override;
  // Requests of a connection, one after another. ApiError for one that cannot be read.
  void serve(Connection& connection);
  void answer(const httplib::Request& request, httplib::Response& response);
  void send_refusal(Connection& connection, const ApiError& error);

  HttpLimits limits;
  Calls calls;
  std::string host;
  int port = 0;
  std::atomic<bool> stopping = false;
  OpenConnections open;
};

namespace {

// The request that this thread answers: cpp-httplib has no place for it.
thread_local HttpRequest* current_request = nullptr;

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

void HttpServer::Impl::listen_on(const std::string& host_name, int wanted_port) {
  errno = 0;
  const int bound = wanted_port == 0                       ? bind_to_any_port(host_name)
                    : bind_to_port(host_name, wanted_port) ? wanted_port
                                                           : -1;
  if (bound < 0) {
    user_error("cannot listen on {} port {}{}{}; choose another --host or --port", host_name,
               wanted_port, errno != 0 ? ": " : "",
               errno != 0 ? std::generic_category().message(errno) : "");
  }
  host = host_name;
  port = bound;
  ::listen(svr_sock_, kBacklog);  // cpp-httplib's own backlog is 5
}

bool HttpServer::Impl::process_and_close_socket(socket_t socket) {
  Connection connection(socket, limits);
  const bool is_open = open.add(socket, limits.connections);
  try {
    if (!is_open) {
      throw ApiError(503, "The server has too many connections", "", "overloaded");
    }
    serve(connection);
  } catch (const ApiError& error) {
    send_refusal(connection, error);
    read_to_end(socket);
  } catch (const std::exception& error) {
    log_error("a connection was closed: {}", error.what());
  }
  if (is_open) {
    open.remove(socket);
  }
  ::close(socket);
  return true;
}

void HttpServer::Impl::serve(Connection& connection) {
  for (bool again = true; again;) {
    const auto head = connection.read_request(stopping);
    if (!head) {
      return;
    }
    HttpRequest request = {.method = head->method,
                           .path = head->path,
                           .authorization = head->authorization,
                           .body = {},
                           .client_gone = [&] { return connection.is_closed(); }};
    current_request = &request;
    bool closed = false;
    const bool last = !head->keep_alive || stopping;
    again = process_request(connection, last, closed, nullptr) && !closed && !last;
  }
}

void HttpServer::Impl::send_refusal(Connection& connection, const ApiError& error) {
  const std::string body = json_line(error.body());
  const std::string text = fmt::format(
      "HTTP/1.1 {} Refused\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: "
      "close\r\n\r\n{}",
      error.status(), body.size(), body);
  connection.write(text.data(), text.size());
  calls.done({}, error.status(), 0, error.what());
}

// By the thread of the connection.
void HttpServer::Impl::answer(const httplib::Request& given, httplib::Response& response) {
  const auto start = std::chrono::steady_clock::now();
  HttpRequest& request = *current_request;
  request.body = given.body;
  HttpReply reply = calls.answer(request);
  response.status = reply.status;
  response.set_header("Cache-Control", "no-cache");
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("X-Frame-Options", "DENY");  // no other site shows the page as its own
  if (!reply.stream) {
    response.set_content(reply.body, reply.type);
    calls.done(request, reply.status, seconds_since(start), reply.note ? *reply.note : "");
    return;
  }
  const auto provider = [this, start, reply, &request](std::size_t, httplib::DataSink& sink) {
    reply.stream([&](std::string_view part) { return sink.write(part.data(), part.size()); });
    calls.done(request, reply.status, seconds_since(start), reply.note ? *reply.note : "");
    sink.done();
    return true;
  };
  response.set_header("X-Accel-Buffering", "no");  // of nginx, which would hold events back
  if (given.version == "HTTP/1.0") {
    response.set_content_provider(reply.type, provider);
  } else {
    response.set_chunked_content_provider(reply.type, provider);
  }
}

HttpServer::HttpServer(const std::string& host, int port, const HttpLimits& limits, Calls calls)
    : impl_(std::make_unique<Impl>(limits, std::move(calls))) {
  impl_->listen_on(host, port);
}

HttpServer::~HttpServer() = default;

int HttpServer::port() const {
  return impl_->port;
}

void HttpServer::stop() {
  impl_->stopping = true;
  impl_->stop_accepting();
}

void HttpServer::run() {
  constexpr std::chrono::milliseconds kPause{200};
  constexpr std::chrono::milliseconds kLastReplies{5000};
  Impl& server = *impl_;
  while (!server.stopping) {
    server.listen_after_bind();
    if (!server.stopping) {  // out of memory or of the machine's descriptors
      log_warning("accepting connections failed; the server listens again");
      std::this_thread::sleep_for(kPause);
      server.listen_on(server.host, server.port);
    }
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
