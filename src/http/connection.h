// One connection of a client: each request is read whole, strictly and within limits.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "http/http_head.h"
#include "http/http_server.h"

namespace lmpo {

// Whether the event of poll() comes in this time.
bool wait_for_socket(int socket, short event, std::chrono::milliseconds time);

struct ReceivedRequest {
  HttpHead head;
  std::string body;
};

class Connection {
 public:
  // Does not own the socket.
  Connection(int socket, const HttpLimits& limits) : socket_(socket), limits_(limits) {}

  // Waits for a request. Nothing where the client closes the connection, or stays idle, or
  // `stopping` while it does. HttpError as parse_head, 408, 431: the connection cannot be used
  // further.
  std::optional<ReceivedRequest> read_request(const std::atomic<bool>& stopping);
  // The client has closed its side.
  bool is_closed() const;
  // False where the client has gone, or reads nothing for the limit's time.
  bool write(std::string_view text) const;

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
};

}  // namespace lmpo
