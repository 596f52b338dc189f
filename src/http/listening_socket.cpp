#include "http/listening_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/log.h"

namespace lmpo {
namespace {

constexpr int kBacklog = 512;  // connections that wait to be accepted

void set_option(int socket, int level, int option, int value) {
  ::setsockopt(socket, level, option, &value, sizeof value);
}

// Not open where it fails; errno says why.
Descriptor listen_at(const addrinfo& address) {
  Descriptor listener(
      ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, address.ai_protocol));
  if (!listener.is_open()) {
    return listener;
  }
  // Not SO_REUSEPORT: two servers would share a port without a word.
  set_option(listener.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.ai_family == AF_INET6) {
    set_option(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  }
  if (::bind(listener.get(), address.ai_addr, address.ai_addrlen) != 0 ||
      ::listen(listener.get(), kBacklog) != 0) {
    return Descriptor();
  }
  return listener;
}

}  // namespace

Descriptor listen_on(const std::string& host, int port) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  std::string problem = error == 0 ? "" : ::gai_strerror(error);
  for (const addrinfo* each = found; error == 0 && each != nullptr; each = each->ai_next) {
    if (Descriptor listener = listen_at(*each); listener.is_open()) {
      return listener;
    }
    problem = std::generic_category().message(errno);
  }
  user_error("cannot listen on {} port {}: {}; choose another --host or --port", host, port,
             problem);
}

int port_of(const Descriptor& listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  LMPO_CHECK(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  // The port is at the same place in addresses of both kinds.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

Descriptor next_connection(const Descriptor& listener, const std::atomic<bool>& stopping) {
  constexpr std::chrono::milliseconds kPause{50};
  bool said = false;
  while (!stopping) {
    Descriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.is_open()) {
      set_option(connection.get(), IPPROTO_TCP, TCP_NODELAY, 1);
      return connection;
    }
    const int error = errno;
    if (stopping || error == EINTR || error == ECONNABORTED) {
      continue;
    }
    if (!said) {
      log_warning("new connections wait: {}", std::generic_category().message(error));
      said = true;
    }
    std::this_thread::sleep_for(kPause);
  }
  return Descriptor();
}

}  // namespace lmpo
