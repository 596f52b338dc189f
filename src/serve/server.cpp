#include "serve/server.h"

#include <set>

#include "base/error.h"
#include "base/log.h"
#include "serve/routes.h"

namespace lmpo {
namespace {

void check_ids(const std::vector<ServedModel>& models) {
  std::set<std::string> ids;
  for (const ServedModel& model : models) {
    if (!ids.insert(model.id).second) {
      user_error("two models are called '{}', by which clients choose one; rename a folder",
                 model.id);
    }
  }
}

// What is sent goes to the log, too.
HttpReply with_log(HttpReply reply) {
  if (!reply.stream) {
    log_info("reply: {}", reply.body);
    return reply;
  }
  reply.stream = [stream = std::move(reply.stream)](const SendPart& send) {
    stream([&](std::string_view part) {
      log_info("reply: {}", part.substr(0, part.find_last_not_of('\n') + 1));
      return send(part);
    });
  };
  return reply;
}

HttpReply refusal(const HttpError& error) {
  return error_reply(
      ApiError(error.status(), error.what(), "", error.status() == 503 ? "overloaded" : ""));
}

}  // namespace

struct Server::Impl {
  Impl(std::vector<ServedModel> given, const std::vector<TokenSource*>& sources,
       const ServerOptions& options)
      : models(std::move(given)),
        worker(sources, options.unfinished, [this] { http->stop(); }),
        service(models, worker, options.limits),
        routes(service, options.api_key),
        log_contents(options.log_contents) {}

  HttpReply answer(const HttpRequest& request) const {
    if (!log_contents) {
      return routes.answer(request);
    }
    log_info("request: {} {} {}", request.method, request.path, request.body);
    return with_log(routes.answer(request));
  }

  void note(const HttpRequest& request, int status, double seconds, const std::string& text) {
    service.metrics.count_request(Routes::name_of(request.path), status, seconds);
    log_info("{}{}{}: {}, {:.3f} s{}", request.method.empty() ? "refused" : request.method,
             request.path.empty() ? "" : " ", request.path.substr(0, 100), status, seconds,
             text.empty() ? "" : fmt::format(" ({})", text));
  }

  std::vector<ServedModel> models;
  std::unique_ptr<HttpServer> http;
  Worker worker;
  Service service;
  Routes routes;
  bool log_contents;
};

Server::Server(std::vector<ServedModel> models, const std::vector<TokenSource*>& sources,
               const ServerOptions& options) {
  check_ids(models);
  impl_ = std::make_unique<Impl>(std::move(models), sources, options);
  Impl& impl = *impl_;
  impl.http = std::make_unique<HttpServer>(
      options.host, static_cast<int>(options.port), options.http,
      HttpServer::Calls{
          .answer = [&impl](const HttpRequest& request) { return impl.answer(request); },
          .refuse = &refusal,
          .done = [&impl](const HttpRequest& request, int status, double seconds,
                          const std::string& text) { impl.note(request, status, seconds, text); },
          .end_all = [&impl] { impl.worker.end_all(); }});
}

Server::~Server() = default;

int Server::port() const {
  return impl_->http->port();
}

void Server::stop() {
  impl_->worker.refuse();
  impl_->http->stop();
}

void Server::run() {
  impl_->http->run();
  if (const std::string failure = impl_->worker.failure(); !failure.empty()) {
    machine_error("the model failed, so the server ends: {}", failure);
  }
}

}  // namespace lmpo
