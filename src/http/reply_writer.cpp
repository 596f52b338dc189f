#include "http/reply_writer.h"

#include <fmt/format.h>

#include <string>

namespace lmpo {
namespace {

// The head, up to what says where the body ends.
std::string head_of(const HttpReply& reply, bool keeps_open) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\n"
      "Content-Type: {}\r\n"
      "Cache-Control: no-cache\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "X-Frame-Options: DENY\r\n"  // no other site shows the page as its own
      "Connection: {}\r\n",
      reply.status, reply.status < 400 ? "OK" : "Error", reply.type,
      keeps_open ? "keep-alive" : "close");
}

}  // namespace

bool write_reply(const Connection& connection, const HttpHead& request, const HttpReply& reply) {
  return connection.write(fmt::format("{}Content-Length: {}\r\n\r\n{}",
                                      head_of(reply, request.keep_alive), reply.body.size(),
                                      request.method == "HEAD" ? "" : reply.body));
}

StreamWriter::StreamWriter(const Connection& connection, const HttpHead& request,
                           const HttpReply& reply)
    : connection_(connection), has_frames_(!request.is_version_1_0) {
  // The second field is for nginx, which would hold events back.
  is_open_ = connection.write(fmt::format("{}X-Accel-Buffering: no\r\n{}\r\n",
                                          head_of(reply, request.keep_alive && has_frames_),
                                          has_frames_ ? "Transfer-Encoding: chunked\r\n" : ""));
}

bool StreamWriter::send(std::string_view part) {
  if (is_open_ && !part.empty()) {  // an empty frame would be the last
    is_open_ = connection_.write(has_frames_ ? fmt::format("{:x}\r\n{}\r\n", part.size(), part)
                                             : std::string(part));
  }
  return is_open_;
}

bool StreamWriter::finish() {
  is_open_ = is_open_ && (!has_frames_ || connection_.write("0\r\n\r\n"));
  return is_open_ && has_frames_;
}

}  // namespace lmpo
