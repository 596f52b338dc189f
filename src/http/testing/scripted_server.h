// A server that does to each connection what it is told, one after another. For tests only.
#pragma once

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "http/listening_socket.h"

namespace lmpo {

class ScriptedServer {
 public:
  // The socket is closed behind the script.
  explicit ScriptedServer(std::function<void(int socket)> script)
      : thread_([this, act = std::move(script)] {
          for (;;) {
            const Descriptor socket = next_connection(listener_, stopping_);
            if (!socket.is_open()) {
              return;
            }
            act(socket.get());
          }
        }) {}
  ~ScriptedServer() {
    stopping_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return port_of(listener_); }

 private:
  Descriptor listener_ = listen_on("127.0.0.1", 0);
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// All that comes until `end` does, or until the client closes the connection.
inline std::string receive_until(int socket, std::string_view end) {
  std::string received;
  std::array<char, 4096> buffer;
  while (received.find(end) == std::string::npos) {
    const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) {
      break;
    }
    received.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return received;
}

inline void send_text(int socket, std::string_view text) {
  ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace lmpo
