#include "serve/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "serve/api_error.h"

namespace lmpo {
namespace {

constexpr std::chrono::milliseconds kLookForEnd{200};

std::chrono::milliseconds time_until(std::chrono::steady_clock::time_point end) {
  return std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
}

[[noreturn]] void refuse_long_head() {
  throw ApiError(431, fmt::format("The request's header is longer than {} bytes", kLongestHead));
}

// What the answer depends on, and nothing that cpp-httplib would do more for: no Range, no
// Accept-Encoding, no path that is encoded.
std::string head_for_library(const HttpHead& head) {
  std::string text = fmt::format("{} / HTTP/1.{}\r\n", head.method, head.is_version_1_0 ? 0 : 1);
  if (head.method == "POST") {
    text += fmt::format("Content-Length: {}\r\n", head.content_length);
  }
  return text + (head.keep_alive ? "" : "Connection: close\r\n") + "\r\n";
}

}  // namespace

bool wait_for_socket(int socket, short event, std::chrono::milliseconds time) {
  pollfd waiting = {.fd = socket, .events = event, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(0, time.count())));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

bool Connection::receive(Clock::time_point end) {
  if (client_ended_ || !wait_for_socket(socket_, POLLIN, time_until(end))) {
    return false;
  }
  std::array<char, 16384> buffer;
  const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
  if (got <= 0) {
    client_ended_ = true;
    return false;
  }
  received_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

bool Connection::wait_for_first_byte(const std::atomic<bool>& stopping) {
  const auto end = Clock::now() + limits_.idle_time;
  for (;;) {
    while (received_.starts_with("\r\n")) {
      received_.erase(0, 2);  // some clients end a body so
    }
    if (!received_.empty() && received_ != "\r") {
      return true;
    }
    const auto now = Clock::now();
    if (stopping || client_ended_ || now >= end) {
      return false;
    }
    receive(std::min(end, now + kLookForEnd));
  }
}

std::string Connection::take(std::size_t bytes) {
  std::string text = received_.substr(0, bytes);
  received_.erase(0, bytes);
  return text;
}

std::optional<HttpHead> Connection::read_request(const std::atomic<bool>& stopping) {
  if (!wait_for_first_byte(stopping)) {
    return std::nullopt;
  }
  const auto head_end = Clock::now() + limits_.head_time;
  std::optional<std::size_t> size;
  while (!(size = end_of_head(received_))) {
    if (received_.size() > kLongestHead) {
      refuse_long_head();
    }
    if (!receive(head_end)) {
      throw ApiError(408, "The request's header did not come in time");
    }
  }
  if (*size > kLongestHead) {
    refuse_long_head();
  }
  HttpHead head = parse_head(take(*size), limits_.body);
  if (head.expects_continue && received_.empty() && head.content_length > 0) {
    const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    write(go_on.data(), go_on.size());
  }
  const auto body_end = Clock::now() + limits_.body_time;
  while (received_.size() < head.content_length) {
    if (!receive(body_end)) {
      throw ApiError(408, "The request's body did not come in time");
    }
  }
  request_ = head_for_library(head) + take(head.content_length);
  given_ = 0;
  return head;
}

bool Connection::is_closed() const {
  pollfd state = {.fd = socket_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool Connection::is_writable() const {
  return wait_for_socket(socket_, POLLOUT, limits_.write_time);
}

ssize_t Connection::read(char* to, std::size_t size) {
  const std::size_t count = std::min(size, request_.size() - given_);
  request_.copy(to, count, given_);
  given_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* from, std::size_t size) {
  for (std::size_t sent = 0; sent < size;) {
    const ssize_t count = ::send(socket_, from + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      sent += static_cast<std::size_t>(count);
    } else if ((errno != EAGAIN && errno != EINTR) || !is_writable()) {
      return -1;
    }
  }
  return static_cast<ssize_t>(size);
}

// The addresses are not used.
void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace lmpo
