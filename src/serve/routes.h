// Which endpoint answers which path, and who may ask.
#pragma once

#include <string>

#include "serve/service.h"

namespace lmpo {

class Routes {
 public:
  // `api_key`: what clients must send as "Authorization: Bearer KEY"; "": nothing.
  Routes(Service& service, std::string api_key) : service_(service), api_key_(std::move(api_key)) {}

  // What is refused is a reply, too: 401, 404, 405, and what the endpoint throws.
  HttpReply answer(const HttpRequest& request) const;
  // The path of the table that this one belongs to; "other" if none. For counting.
  static std::string name_of(const std::string& path);

 private:
  void check_key(const std::string& authorization) const;

  Service& service_;
  std::string api_key_;
};

// A refusal as a reply.
HttpReply error_reply(const ApiError& error);

}  // namespace lmpo
