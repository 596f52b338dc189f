// The whole server: connections, routes, the worker.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/http_server.h"
#include "serve/service.h"

namespace lmpo {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::int64_t port = 8080;       // 0: any that is free
  std::string api_key = "";       // "": none is asked for
  std::int64_t unfinished = 256;  // answers that may run or wait when another request comes
  HttpLimits http = {};
  ServiceLimits limits = {};
  bool log_contents = false;  // requests and replies, not only a line of each
};

class Server {
 public:
  // Listens. `sources`: the engine of each model. UserError where it cannot listen, or two models
  // have one id. The sources must outlive it.
  Server(std::vector<ServedModel> models, const std::vector<TokenSource*>& sources,
         const ServerOptions& options);
  ~Server();

  int port() const;
  // Serves until stop(), then ends what runs: MachineError if an engine failed.
  void run();
  // From any thread.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
