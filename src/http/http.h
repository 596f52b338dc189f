// Requests and replies of HTTP, as the server's parts see them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace lmpo {

struct HttpRequest {
  std::string method;
  std::string path;           // without the query
  std::string authorization;  // the header, as it came
  std::string body;
  // Whether the client has gone. May be called by the thread that answers.
  std::function<bool()> client_gone = [] { return false; };
};

// Sends a part of a reply; false: the client has gone.
using SendPart = std::function<bool(std::string_view part)>;

inline constexpr const char* kEventStream = "text/event-stream";
inline constexpr int kClientLeft = 499;  // a status for the log alone: nobody reads the reply

struct HttpReply {
  int status = 200;
  std::string type = "application/json";
  std::string body = {};
  // Instead of the body: writes events as they come, until the end or false of `send`.
  std::function<void(const SendPart& send)> stream = {};
  // What the log says of it, "smollm2, 12 + 34 tokens"; after the stream's end.
  std::shared_ptr<const std::string> note = nullptr;
};

}  // namespace lmpo
