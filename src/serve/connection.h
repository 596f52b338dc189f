// One connection of a client: what it sends is read whole and within limits, then handed on as a
// stream.
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include "serve/http_head.h"
#include "serve/http_server.h"

namespace lmpo {

// Whether the event of poll() comes in this time.
bool wait_for_socket(int socket, short event, std::chrono::milliseconds time);

class Connection final : public httplib::Stream {
 public:
  Connection(int socket, const HttpLimits& limits) : socket_(socket), limits_(limits) {}

  // Waits for a request and reads it, its body too. Nothing where the client closes the connection,
  // or stays idle, or `stopping` while it does. ApiError as parse_head, 408, 431: the connection
  // cannot be used further.
  std::optional<HttpHead> read_request(const std::atomic<bool>& stopping);
  // The client has closed its side.
  bool is_closed() const;

  // What cpp-httplib reads: the request, written anew from its head.
  bool is_readable() const override { return given_ < request_.size(); }
  bool is_writable() const override;
  ssize_t read(char* to, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  using Clock = std::chrono::steady_clock;

  // Some more bytes; false where there are none until then, or no more at all.
  bool receive(Clock::time_point end);
  bool wait_for_first_byte(const std::atomic<bool>& stopping);
  std::string take(std::size_t bytes);

  int socket_;
  const HttpLimits& limits_;
  std::string received_;       // and not read yet
  bool client_ended_ = false;  // it sends nothing more
  std::string request_;        // for cpp-httplib
  std::size_t given_ = 0;      // bytes of it
};

}  // namespace lmpo
