// A client of raw HTTP over loopback, which may send anything. For tests only.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

#include "base/json.h"

namespace lmpo {

struct HttpAnswer {
  int status = 0;  // 0: the connection ended without an answer
  std::string head;
  std::string body;  // pieces of a chunked one joined

  json value() const { return json::parse(body, nullptr, false); }
  json error() const { return value().value("error", json::object()); }
};

class RawClient {
 public:
  RawClient() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  explicit RawClient(int port) : RawClient() { connect(port); }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void connect(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  void close() {
    if (socket_ >= 0) {
      ::close(std::exchange(socket_, -1));
    }
  }
  // False where the server no longer reads.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return false;
      }
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Reads until the text is there, or to the end.
  bool read_until(const std::string& text) {
    while (received_.find(text) == std::string::npos) {
      if (!receive()) {
        return false;
      }
    }
    return true;
  }
  // What came that no answer() took.
  const std::string& received() const { return received_; }
  // The next answer, whose body has a length or pieces.
  HttpAnswer answer() {
    HttpAnswer answer;
    if (!read_until("\r\n\r\n")) {
      return answer;
    }
    const std::size_t end = received_.find("\r\n\r\n") + 4;
    answer.head = received_.substr(0, end);
    received_.erase(0, end);
    answer.status = std::stoi(answer.head.substr(9, 3));
    if (const auto at = answer.head.find("Content-Length: "); at != std::string::npos) {
      answer.body = take(std::stoul(answer.head.substr(at + 16)));
    } else if (answer.head.find("chunked") != std::string::npos) {
      for (std::size_t size = next_piece(); size > 0; size = next_piece()) {
        answer.body += take(size);
        take(2);
      }
      take(2);
    } else {
      while (receive()) {
      }
      answer.body = std::exchange(received_, "");
    }
    return answer;
  }

 private:
  bool receive() {
    pollfd waiting = {.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 60'000) <= 0) {
      ADD_FAILURE() << "the server says nothing; it said:\n" << received_;
      return false;
    }
    std::array<char, 4096> buffer;
    const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    received_.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return got > 0;
  }
  std::string take(std::size_t bytes) {
    while (received_.size() < bytes && receive()) {
    }
    std::string text = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return text;
  }
  std::size_t next_piece() {
    if (!read_until("\r\n")) {
      return 0;
    }
    const std::size_t size = std::stoul(received_, nullptr, 16);
    take(received_.find("\r\n") + 2);
    return size;
  }

  int socket_;
  bool connected_ = false;
  std::string received_;
};

inline std::string http_get(const std::string& path, const std::string& fields = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n{}\r\n", path, fields);
}

inline std::string http_post(const std::string& path, const std::string& body,
                             const std::string& fields = "") {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}"
      "\r\n{}",
      path, body.size(), fields, body);
}

// The events of a stream, "[DONE]" as a string.
inline std::vector<json> events_of(const std::string& body) {
  std::vector<json> events;
  for (std::size_t begin = 0; begin < body.size();) {
    const std::size_t end = body.find("\n\n", begin);
    EXPECT_EQ(body.substr(begin, 6), "data: ") << body;
    const std::string text = body.substr(begin + 6, end - begin - 6);
    events.push_back(text == "[DONE]" ? json(text) : json::parse(text));
    if (end == std::string::npos) {
      break;
    }
    begin = end + 2;
  }
  return events;
}

}  // namespace lmpo
