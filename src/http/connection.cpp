#include "http/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "http/http_error.h"

namespace lmpo {
namespace {

constexpr std::chrono::milliseconds kLookForEnd{200};

std::chrono::milliseconds time_until(std::chrono::steady_clock::time_point end) {
  return std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
}

[[noreturn]] void refuse_long_head() {
  throw HttpError(431, fmt::format("The request's header is longer than {} bytes", kLongestHead));
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

std::optional<ReceivedRequest> Connection::read_request(const std::atomic<bool>& stopping) {
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
      throw HttpError(408, "The request's header did not come in time");
    }
  }
  if (*size > kLongestHead) {
    refuse_long_head();
  }
  HttpHead head = parse_head(take(*size), limits_.body);
  if (head.expects_continue && received_.empty() && head.content_length > 0) {
    write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  const auto body_end = Clock::now() + limits_.body_time;
  while (received_.size() < head.content_length) {
    if (!receive(body_end)) {
      throw HttpError(408, "The request's body did not come in time");
    }
  }
  std::string body = take(head.content_length);
  return ReceivedRequest{std::move(head), std::move(body)};
}

bool Connection::is_closed() const {
  pollfd state = {.fd = socket_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool Connection::write(std::string_view text) const {
  while (!text.empty()) {
    const ssize_t count = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if ((errno != EAGAIN && errno != EINTR) ||
               !wait_for_socket(socket_, POLLOUT, limits_.write_time)) {
      return false;
    }
  }
  return true;
}

}  // namespace lmpo
