// Replies as bytes of HTTP.
#pragma once

#include <string_view>

#include "http/connection.h"
#include "http/http.h"
#include "http/http_head.h"

namespace lmpo {

// Sends a reply that has a body; its head alone where the request's method is HEAD. False where the
// connection cannot be used further.
bool write_reply(const Connection& connection, const HttpHead& request, const HttpReply& reply);

// Sends a reply whose parts come one after another. For HTTP/1.0, whose connections then end, they
// have no frames.
class StreamWriter {
 public:
  // Sends the head.
  StreamWriter(const Connection& connection, const HttpHead& request, const HttpReply& reply);
  // False where the client has gone.
  bool send(std::string_view part);
  // After the last part. False where the connection cannot be used further.
  bool finish();

 private:
  const Connection& connection_;
  bool has_frames_;
  bool is_open_;
};

}  // namespace lmpo
