// A server over loopback whose engine repeats the prompt. For tests only.
#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <thread>

#include "base/log.h"
#include "http/testing/raw_client.h"
#include "serve/server.h"
#include "serve/testing/served.h"

namespace lmpo {

inline const std::string kChat = "/v1/chat/completions";
inline const std::string kPlain = "/v1/completions";
inline const std::string kHello = R"({"messages": [{"role": "user", "content": "Hello"}]})";

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    set_log_level(LogLevel::error);
    options_.port = 0;
  }
  ~ServerTest() override {
    if (server_) {
      server_->stop();
      thread_.join();
    }
    set_log_level(LogLevel::info);
  }

  void start() {
    std::vector<ServedModel> models;
    models.push_back(small_model("small"));
    models.push_back(small_model("other"));
    server_.emplace(std::move(models), std::vector<TokenSource*>{&source_, &other_}, options_);
    thread_ = std::thread([this] { server_->run(); });
  }
  int port() {
    if (!server_) {
      start();
    }
    return server_->port();
  }
  HttpAnswer exchange(const std::string& text) {
    RawClient client(port());
    client.send(text);
    return client.answer();
  }
  HttpAnswer post(const std::string& path, const std::string& body) {
    return exchange(http_post(path, body));
  }
  template <typename Condition>
  void wait_until(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "it did not come to that";
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  ServerOptions options_;
  ScriptedSource source_{repeat_prompt};
  ScriptedSource other_{[](const EngineRequest& request) {
    return std::vector<std::int32_t>{request.prompt.back(), 1000, 5};  // 1000 ends an answer
  }};
  std::optional<Server> server_;
  std::thread thread_;
};

}  // namespace lmpo
