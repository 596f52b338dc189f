// lmpo serve: one or two models behind OpenAI's HTTP API.
#include <unistd.h>

#include <atomic>
#include <optional>

#include "base/log.h"
#include "base/signals.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "serve/engine_source.h"
#include "serve/server.h"

namespace lmpo {
namespace {

struct ServeOptions {
  ModelOptions model;
  fs::path other;
  TemplateOptions template_options;
  ServerOptions server;
  std::int64_t request_time = 600;
  Bytes max_body = {16'000'000};
  std::int64_t grace = 30;
  MachineOptions machine;
};

void declare_limits(OptionSet& set, ServeOptions& options) {
  set.group("Limits");
  set.add("max_requests", options.server.unfinished,
          "answers that may run or wait; a request that finds so many is refused with status 429",
          {.range = at_least(1)});
  set.add("request_time", options.request_time, "seconds that an answer may take",
          {.range = within(1, 86'400)});
  set.add("max_body", options.max_body, "maximum size of a request");
  set.add("max_connections", options.server.http.connections,
          "connections at the same time; more are refused with status 503",
          {.range = within(1, 10'000)});
  set.add("grace", options.grace,
          "seconds for running answers to end after Ctrl-C or SIGTERM; then they are cut off",
          {.range = within(0, 86'400)});
}

void declare(OptionSet& set, ServeOptions& options) {
  set.group("Model");
  add_model_option(set, options.model.folder);
  set.add("other", options.other,
          "a second model; the field 'model' of a request names one by its folder's name",
          {.value_name = "DIR"});
  add_template_options(set, options.template_options);
  set.group("Server");
  set.add("host", options.server.host,
          "address to listen on; 0.0.0.0: every network, for which an --api_key is advised");
  set.add("port", options.server.port, "port to listen on; 0: any that is free",
          {.range = within(0, 65'535)});
  set.add("api_key", options.server.api_key,
          "key that clients must send (Authorization: Bearer KEY); others on this machine see a "
          "command line, so better set LMPO_API_KEY",
          {.value_name = "KEY", .verbatim = true});
  set.add("log_contents", options.server.log_contents,
          "write requests and replies to the log, not only a line about each");
  declare_limits(set, options);
  set.group("Speed");
  set.add("context", options.model.context, "maximum tokens of a prompt and its answer",
          {.range = at_least(0), .default_text = "the model's, at most 8192"});
  set.add("batch_size", options.model.sequences, "answers computed at the same time",
          {.range = within(1, 4096)});
  set.add("cache_tokens", options.model.cache_tokens,
          "tokens of running answers and remembered prompts whose keys and values are kept; their "
          "memory is reserved at the start",
          {.range = at_least(0), .default_text = "four contexts"});
  add_machine_options(set, options.machine);
  set.section("Examples",
              "  lmpo serve --model DIR\n"
              "  lmpo serve -m DIR --other DIR --port 9000          two models; the field 'model' "
              "chooses\n"
              "  LMPO_API_KEY=secret lmpo serve -m DIR --host 0.0.0.0\n"
              "  curl http://127.0.0.1:8080/v1/chat/completions -H 'Content-Type: "
              "application/json' \\\n"
              "    -d '{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'\n");
}

ServerOptions server_options(const ServeOptions& options) {
  ServerOptions server = options.server;
  server.http.body = static_cast<std::size_t>(options.max_body.count);
  server.http.grace = std::chrono::seconds(options.grace);
  server.limits.request_time = std::chrono::seconds(options.request_time);
  return server;
}

void say_address(const ServerOptions& options, int port) {
  const std::string& host = options.host;
  const bool is_ipv6 = host.find(':') != std::string::npos;
  log_info("listening on http://{}:{}", is_ipv6 ? "[" + host + "]" : host, port);
  const bool is_loopback = host == "127.0.0.1" || host == "localhost" || host == "::1";
  if (!is_loopback && options.api_key.empty()) {
    log_warning("anyone who reaches {} may use the model; --api_key asks for a key", host);
  }
}

LoadedModels loaded_models(const ServeOptions& options) {
  const Machine machine = open_machine(options.machine);
  std::vector<ModelOptions> wanted;
  for (const fs::path& folder : {options.model.folder, options.other}) {
    if (!folder.empty()) {
      wanted.push_back(options.model);
      wanted.back().folder = folder;
      wanted.back().loading = machine.loading;
      wanted.back().inputs = inputs_of(options.template_options);
    }
  }
  return load_models(wanted, machine.device);
}

int run(const ServeOptions& options) {
  LoadedModels loaded = loaded_models(options);
  std::optional<Server> server;  // outlives the watch, whose thread stops it
  std::atomic<Server*> serving = nullptr;
  // Before the server's threads, which must not receive the signals.
  const SignalWatch watch({SIGINT, SIGTERM}, [&](int) {
    Server* running = serving.exchange(nullptr);
    if (running == nullptr) {
      ::_exit(kStoppedBySignal);
    }
    end_program_on({SIGINT, SIGTERM});
    log_info("ending: answers that run have {} s; the same signal again ends at once",
             options.grace);
    running->stop();
  });
  server.emplace(std::move(loaded.models), loaded.sources(), server_options(options));
  serving = &*server;
  say_address(options.server, server->port());
  server->run();
  log_info("the server has ended");
  return 0;
}

}  // namespace

constinit const CommandCode kServeCommand = command<ServeOptions>(
    "Answers requests over HTTP as OpenAI's API does: chats, completions, log-probabilities, with "
    "streaming. Requests run together and share the beginnings of their prompts.");

}  // namespace lmpo
