// The server over loopback, with an engine that repeats the prompt: what clients get, and what happens
// to those that misbehave.
#include "serve/server.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/log.h"
#include "serve/testing/http_client.h"
#include "serve/testing/served.h"

namespace lmpo {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kChat = "/v1/chat/completions";
const std::string kPlain = "/v1/completions";
const std::string kHello = R"({"messages": [{"role": "user", "content": "Hello"}]})";

class ServerTest : public testing::Test {
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
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "it did not come to that";
      std::this_thread::sleep_for(2ms);
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

TEST_F(ServerTest, AnswersAChat) {
  const HttpAnswer answer = post(kChat, kHello);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/json"));
  const json value = answer.value();
  EXPECT_EQ(value["object"], "chat.completion");
  EXPECT_EQ(value["model"], "small");
  EXPECT_THAT(value["id"].get<std::string>(), testing::StartsWith("chatcmpl-"));
  const json& choice = value["choices"][0];
  EXPECT_EQ(choice["message"]["role"], "assistant");
  EXPECT_EQ(choice["message"]["content"], "user:Hello;a:");
  EXPECT_EQ(choice["finish_reason"], "length");
  EXPECT_TRUE(choice["logprobs"].is_null());
  const json& usage = value["usage"];
  EXPECT_EQ(usage["prompt_tokens"], usage["completion_tokens"]);  // it is repeated
  EXPECT_EQ(usage["total_tokens"], 2 * usage["prompt_tokens"].get<int>());
  EXPECT_EQ(usage["prompt_tokens_details"]["cached_tokens"], 1);
}

TEST_F(ServerTest, StreamsAChatAsOpenAiDoes) {
  const std::string body =
      R"({"messages": [{"role": "user", "content": "Hello"}], "stream": true, "n": 2,
          "stream_options": {"include_usage": true}})";
  const HttpAnswer answer = post(kChat, body);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.head, HasSubstr("Content-Type: text/event-stream"));
  const std::vector<json> events = events_of(answer.body);
  ASSERT_GE(events.size(), 8U);
  EXPECT_EQ(events.back(), "[DONE]");
  const json& usage = events[events.size() - 2];
  EXPECT_EQ(usage["choices"], json::array());
  EXPECT_EQ(usage["usage"]["completion_tokens"], 2 * usage["usage"]["prompt_tokens"].get<int>());
  std::vector<std::string> texts(2);
  std::vector<std::vector<json>> reasons(2);
  for (std::size_t i = 0; i + 2 < events.size(); ++i) {
    EXPECT_EQ(events[i]["object"], "chat.completion.chunk");
    EXPECT_EQ(events[i]["id"], events[0]["id"]);
    EXPECT_TRUE(events[i].contains("usage") && events[i]["usage"].is_null());
    const json& choice = events[i]["choices"][0];
    const auto index = choice["index"].get<std::size_t>();
    if (i < 2) {
      EXPECT_EQ(choice["delta"], (json{{"role", "assistant"}, {"content", ""}}));
    }
    texts[index] += choice["delta"].value("content", "");
    reasons[index].push_back(choice["finish_reason"]);
  }
  EXPECT_THAT(texts, ElementsAre("user:Hello;a:", "user:Hello;a:"));
  for (const auto& of_choice : reasons) {
    EXPECT_EQ(of_choice.back(), "length");
    EXPECT_EQ(std::ranges::count(of_choice, json()), std::ssize(of_choice) - 1);
  }
}

TEST_F(ServerTest, TheFieldModelChooses) {
  const std::string body = R"({"model": "other", "prompt": "cat", "max_tokens": 9})";
  const json value = post(kPlain, body).value();
  EXPECT_EQ(value["model"], "other");
  EXPECT_EQ(value["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(value["usage"]["completion_tokens"], 2);  // with the token that ended it
  const HttpAnswer none = post(kPlain, R"({"model": "third", "prompt": "cat"})");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.error()["code"], "model_not_found");
  EXPECT_EQ(none.error()["param"], "model");
  EXPECT_EQ(none.error()["message"],
            "The model 'third' does not exist; this server has 'small', 'other'");
}

TEST_F(ServerTest, EchoesPromptsWithTheirLogProbabilities) {
  // As lm-eval asks: the log-probabilities of a prompt, and one token more.
  const json value =
      post(kPlain, R"({"prompt": [[40, 41, 42], [50, 51]], "echo": true, "logprobs": 1,
                       "max_tokens": 1, "temperature": 0})")
          .value();
  ASSERT_EQ(value["choices"].size(), 2U) << value;
  const json& first = value["choices"][0];
  const json& logprobs = first["logprobs"];
  EXPECT_EQ(first["index"], 0);
  EXPECT_EQ(logprobs["tokens"].size(), 4U);  // three of the prompt, one new
  EXPECT_EQ(logprobs["token_logprobs"], (json{nullptr, -0.5, -1.5, -1.0}));
  EXPECT_TRUE(logprobs["top_logprobs"][0].is_null());
  EXPECT_EQ(logprobs["top_logprobs"][1].size(), 1U);
  EXPECT_EQ(logprobs["text_offset"], (json{0, 1, 2, 3}));
  std::string text;
  for (const json& token : logprobs["tokens"]) {
    text += token.get<std::string>();
  }
  EXPECT_EQ(first["text"], text);
  EXPECT_EQ(value["choices"][1]["logprobs"]["tokens"].size(), 3U);
  // Without a new token.
  const json none = post(kPlain, R"({"prompt": "cat dog", "echo": true, "logprobs": 0,
                                     "max_tokens": 0})")
                        .value();
  EXPECT_EQ(none["choices"][0]["text"], "cat dog");
  EXPECT_EQ(none["usage"]["completion_tokens"], 0);
}

TEST_F(ServerTest, TheEndTokenHasItsLogProbabilityInCompletions) {
  // Clients drop the last entry, which is the new token's.
  const json value = post(kPlain, R"({"model": "other", "prompt": [40, 41], "echo": true,
                                      "logprobs": 2, "max_tokens": 5})")
                         .value();
  const json& logprobs = value["choices"][0]["logprobs"];
  EXPECT_EQ(logprobs["tokens"].size(), 4U) << value;
  EXPECT_EQ(logprobs["tokens"].back(), "<|endoftext|>");
}

TEST_F(ServerTest, ChatsHaveLogProbabilities) {
  const json value =
      post(kChat, R"({"messages": [{"role": "user", "content": "Hello"}], "logprobs": true,
                      "top_logprobs": 2, "max_tokens": 3})")
          .value();
  const json& content = value["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(content.size(), 3U);
  EXPECT_EQ(content[0]["logprob"], -1.0);
  EXPECT_EQ(content[2]["logprob"], -3.0);
  EXPECT_EQ(content[0]["top_logprobs"].size(), 2U);
  EXPECT_EQ(content[0]["top_logprobs"][0]["token"], content[0]["token"]);
  std::string text;
  for (const json& token : content) {
    for (const json& byte : token["bytes"]) {
      text += static_cast<char>(byte.get<int>());
    }
  }
  EXPECT_EQ(value["choices"][0]["message"]["content"], text);
}

TEST_F(ServerTest, StopTextsEndAnswersAcrossTokens) {
  const json value = post(kPlain, R"({"prompt": "one two three four", "stop": ["o th"],
                                      "max_tokens": 50})")
                         .value();
  EXPECT_EQ(value["choices"][0]["text"], "one tw");
  EXPECT_EQ(value["choices"][0]["finish_reason"], "stop");
  wait_until([&] { return source_.running() == 0; });
  EXPECT_EQ(source_.cancelled(), 1);
}

TEST_F(ServerTest, ToolCallsComeBack) {
  const std::string call = R"(<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call>)";
  const std::string tools = R"("tools": [{"type": "function", "function": {"name": "f"}}])";
  // The engine repeats the prompt, so the call is in the answer.
  const std::string body =
      R"({"messages": [{"role": "user", "content": ")" + call + R"("}], )" + tools;
  const json whole = post(kChat, body + "}").value();
  const json& choice = whole["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls") << whole;
  ASSERT_EQ(choice["message"]["tool_calls"].size(), 1U);
  EXPECT_EQ(choice["message"]["tool_calls"][0]["function"],
            (json{{"name", "f"}, {"arguments", "{\"a\":1}"}}));
  const std::vector<json> events = events_of(post(kChat, body + R"(, "stream": true})").body);
  std::int64_t calls = 0;
  for (const json& event : events) {
    if (event.is_object() && event["choices"][0]["delta"].contains("tool_calls")) {
      ++calls;
      EXPECT_EQ(event["choices"][0]["delta"]["tool_calls"][0]["index"], 0);
    }
  }
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(events[events.size() - 2]["choices"][0]["finish_reason"], "tool_calls");
}

TEST_F(ServerTest, TokensOfTextsAndBack) {
  const json tokens = post("/tokenize", R"({"prompt": "Hello there"})").value();
  EXPECT_EQ(tokens["count"], tokens["tokens"].size());
  EXPECT_EQ(tokens["max_model_len"], 128);
  const json text = post("/detokenize", json{{"tokens", tokens["tokens"]}}.dump()).value();
  EXPECT_EQ(text["prompt"], "Hello there");
  const json chat = post("/tokenize", kHello).value();
  const json rendered = post("/tokenize", R"({"prompt": "user:Hello;a:"})").value();
  EXPECT_EQ(chat["tokens"], rendered["tokens"]);
  EXPECT_EQ(exchange(http_get("/tokenizer_info")).value()["model"], "small");
  EXPECT_EQ(post("/tokenize", "{}").error()["param"], "prompt");
  EXPECT_EQ(post("/detokenize", R"({"tokens": [-1]})").status, 400);
}

TEST_F(ServerTest, SaysWhatItIsAndWhatItDid) {
  EXPECT_EQ(exchange(http_get("/health")).value()["status"], "ok");
  const HttpAnswer page = exchange(http_get("/"));
  EXPECT_THAT(page.head, HasSubstr("Content-Type: text/html; charset=utf-8"));
  EXPECT_THAT(page.body, testing::AllOf(testing::StartsWith("<!DOCTYPE html>"), HasSubstr("v1/")));
  EXPECT_EQ(exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status, 200);
  const json models = exchange(http_get("/v1/models")).value();
  EXPECT_EQ(models["object"], "list");
  EXPECT_EQ(models["data"][1]["id"], "other");
  EXPECT_EQ(exchange(http_get("/v1/models/other")).value()["object"], "model");
  EXPECT_EQ(exchange(http_get("/v1/models/none")).status, 404);
  post(kChat, kHello);
  const HttpAnswer metrics = exchange(http_get("/metrics"));
  EXPECT_THAT(metrics.head, HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(metrics.body, HasSubstr("lmpo_requests_running{model=\"small\"} 0\n"));
  EXPECT_THAT(
      metrics.body,
      HasSubstr("lmpo_http_requests_total{path=\"/v1/chat/completions\",status=\"200\"} 1"));
}

TEST_F(ServerTest, WrongPathsMethodsAndKeysAreRefused) {
  options_.api_key = "secret%20key";
  EXPECT_EQ(exchange(http_get("/v2/models")).status, 404);
  EXPECT_EQ(exchange(http_get(kChat)).status, 405);
  EXPECT_EQ(post("/v1/models", "{}").status, 405);
  EXPECT_EQ(exchange(http_get("/health")).status, 200);
  const HttpAnswer none = exchange(http_get("/v1/models"));
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.error()["code"], "invalid_api_key");
  for (const char* wrong : {"Bearer secret", "secret%20key", "Bearer secret%20key2",
                            "Bearer secret key", "Basic secret%20key", "Bearer "}) {
    EXPECT_EQ(exchange(http_get("/v1/models", fmt::format("Authorization: {}\r\n", wrong))).status,
              401)
        << wrong;
  }
  EXPECT_EQ(exchange(http_get("/v1/models", "Authorization: Bearer secret%20key\r\n")).status, 200);
}

TEST_F(ServerTest, PromptsThatDoNotFitAreRefused) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += " one";
  }
  const HttpAnswer plain = post(kPlain, json{{"prompt", text}}.dump());
  EXPECT_EQ(plain.status, 400);
  EXPECT_EQ(plain.error()["code"], "context_length_exceeded");
  EXPECT_THAT(plain.error()["message"].get<std::string>(),
              testing::AllOf(HasSubstr("This model's maximum context length is 128 tokens."),
                             HasSubstr("Please reduce the length of the prompt")));
  const HttpAnswer sum = post(kPlain, R"({"prompt": [40], "max_tokens": 128})");
  EXPECT_EQ(sum.error()["code"], "context_length_exceeded");
  EXPECT_EQ(post(kPlain, R"({"prompt": [40], "max_tokens": 127})").status, 200);
  const json chat = {{"messages", json::array({{{"role", "user"}, {"content", text}}})}};
  EXPECT_THAT(post(kChat, chat.dump()).error()["message"].get<std::string>(),
              HasSubstr("Please reduce the length of the messages"));
  EXPECT_EQ(post(kPlain, R"({"prompt": ""})").error()["param"], "prompt");
  EXPECT_EQ(post(kPlain, R"({"prompt": [5000]})").error()["param"], "prompt");
  EXPECT_EQ(post(kPlain, R"({"prompt": "a", "logit_bias": {"5000": 1}})").error()["param"],
            "logit_bias");
}

TEST_F(ServerTest, MalformedRequestsAreRefusedAndTheConnectionClosed) {
  for (const auto& [text, status] : std::vector<std::pair<std::string, int>>{
           {"nonsense\r\n\r\n", 400},
           {"GET / HTTP/1.1\n\n", 400},
           {http_post(kChat, "{}", "Transfer-Encoding: chunked\r\n"), 411},
           {http_post(kChat, "{}", "Content-Length: 3\r\n"), 400},
           {http_get("/health", "Content-Length: 5\r\n") + "GET /", 400},
           {"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", 415},
           {"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            "Content-Length: 100000000\r\n\r\n",
            413},
           {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n", 431}}) {
    RawClient client(port());
    client.send(text);
    const HttpAnswer answer = client.answer();
    EXPECT_EQ(answer.status, status) << text.substr(0, 100);
    EXPECT_THAT(answer.head, HasSubstr("Connection: close"));
    EXPECT_TRUE(answer.error().contains("message")) << answer.body;
    EXPECT_EQ(client.answer().status, 0);  // closed
  }
  EXPECT_EQ(post(kChat, "{\"messages\": [").status, 400);
  EXPECT_EQ(post(kChat, "{\"messages\": \"\xFF\"}").status, 400);
  EXPECT_EQ(post(kChat, std::string(100'000, '[')).status, 400);
  EXPECT_EQ(post(kChat, "").status, 400);
}

TEST_F(ServerTest, AHundredMegabytesAreRefusedBeforeTheyAreRead) {
  RawClient client(port());
  client.send(
      "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 100000000\r\n\r\n");
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 20 && client.send(piece); ++i) {
  }
  EXPECT_EQ(client.answer().status, 413);
}

TEST_F(ServerTest, AConnectionTakesRequestsOneAfterAnother) {
  RawClient client(port());
  client.send(http_get("/health") + http_post(kPlain, R"({"prompt": "cat"})") + "\r\n" +
              http_get("/v1/models"));
  EXPECT_EQ(client.answer().value()["status"], "ok");
  EXPECT_EQ(client.answer().value()["object"], "text_completion");
  EXPECT_EQ(client.answer().value()["object"], "list");
  client.send(http_get("/health", "Connection: close\r\n"));
  EXPECT_EQ(client.answer().status, 200);
  EXPECT_EQ(client.answer().status, 0);
}

TEST_F(ServerTest, OldClientsGetStreamsWithoutPieces) {
  RawClient client(port());
  const std::string body = R"({"prompt": "cat dog", "stream": true})";
  client.send(
      fmt::format("POST {} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: "
                  "{}\r\n\r\n{}",
                  kPlain, body.size(), body));
  const HttpAnswer answer = client.answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.head, Not(HasSubstr("chunked")));
  EXPECT_EQ(events_of(answer.body).back(), "[DONE]");
}

TEST_F(ServerTest, AClientThatLeavesEndsItsAnswer) {
  source_.holds = true;
  for (const char* stream : {"false", "true"}) {
    const std::int64_t before = source_.cancelled();
    RawClient client(port());
    client.send(http_post(kPlain, fmt::format(R"({{"prompt": "cat", "stream": {}}})", stream)));
    wait_until([&] { return source_.running() == 1; });
    client.close();
    wait_until([&] { return source_.cancelled() == before + 1; });
    EXPECT_EQ(source_.running(), 0);
  }
}

TEST_F(ServerTest, TooManyRequestsAreRefused) {
  options_.unfinished = 1;
  source_.holds = true;
  RawClient first(port());
  first.send(http_post(kPlain, R"({"prompt": "cat"})"));
  wait_until([&] { return source_.running() == 1; });
  const HttpAnswer second = post(kPlain, R"({"prompt": "dog", "stream": true})");
  EXPECT_EQ(second.status, 429);
  EXPECT_THAT(second.error()["message"].get<std::string>(), HasSubstr("Rate limit reached"));
  source_.holds = false;
  EXPECT_EQ(first.answer().status, 200);
}

TEST_F(ServerTest, TooManyConnectionsAreRefused) {
  options_.http.connections = 2;
  RawClient first(port());
  RawClient second(port());
  first.send(http_get("/health"));
  second.send(http_get("/health"));
  EXPECT_EQ(first.answer().status, 200);
  EXPECT_EQ(second.answer().status, 200);
  EXPECT_EQ(exchange(http_get("/health")).status, 503);
  first.close();
  wait_until([&] { return exchange(http_get("/health")).status == 200; });
}

TEST_F(ServerTest, SlowClientsAreCutOff) {
  options_.http.head_time = 100ms;
  options_.http.body_time = 100ms;
  options_.http.idle_time = 100ms;
  RawClient silent(port());
  EXPECT_EQ(silent.answer().status, 0);
  RawClient head(port());
  head.send("GET /health HTTP/1.1\r\nHost:");
  EXPECT_EQ(head.answer().status, 408);
  RawClient body(port());
  body.send(
      "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 10\r\n\r\n{");
  EXPECT_EQ(body.answer().status, 408);
}

TEST_F(ServerTest, AnswersThatTakeTooLongEnd) {
  options_.limits.request_time = 1s;
  source_.holds = true;
  const HttpAnswer whole = post(kPlain, R"({"prompt": "cat"})");
  EXPECT_EQ(whole.status, 504);
  EXPECT_EQ(whole.error()["code"], "request_timeout");
  const std::vector<json> events =
      events_of(post(kPlain, R"({"prompt": "cat", "stream": true})").body);
  EXPECT_EQ(events.back()["error"]["code"], "request_timeout");
  wait_until([&] { return source_.running() == 0; });
}

TEST_F(ServerTest, AModelWhoseLogitsAreNotFiniteFailsTheRequest) {
  source_.not_finite = "the model's logits are not finite";
  EXPECT_EQ(post(kPlain, R"({"prompt": "cat"})").status, 500);
  const std::vector<json> events =
      events_of(post(kPlain, R"({"prompt": "cat", "stream": true})").body);
  EXPECT_EQ(events.back()["error"]["message"], "the model's logits are not finite");
  EXPECT_EQ(exchange(http_get("/health")).status, 200);
}

TEST_F(ServerTest, EndsAfterItsAnswers) {
  source_.holds = true;
  RawClient client(port());
  RawClient idle(port());
  client.send(http_post(kChat, R"({"messages": [{"role": "user", "content": "Hello"}],
                                   "stream": true})"));
  wait_until([&] { return source_.running() == 1; });
  server_->stop();
  EXPECT_EQ(idle.answer().status, 0);
  source_.holds = false;
  EXPECT_EQ(events_of(client.answer().body).back(), "[DONE]");
  thread_.join();
  server_.reset();
}

TEST_F(ServerTest, CutsAnswersOffAfterItsGrace) {
  options_.http.grace = 50ms;
  source_.holds = true;
  RawClient stream(port());
  RawClient whole(port());
  stream.send(http_post(kPlain, R"({"prompt": "cat", "stream": true})"));
  whole.send(http_post(kPlain, R"({"prompt": "cat"})"));
  wait_until([&] { return source_.running() == 2; });
  server_->stop();
  EXPECT_EQ(events_of(stream.answer().body).back()["error"]["code"], "server_shutdown");
  EXPECT_EQ(whole.answer().status, 503);
  thread_.join();
  server_.reset();
}

TEST_F(ServerTest, AFailingEngineEndsTheServer) {
  source_.fails = true;
  std::vector<ServedModel> models;
  models.push_back(small_model());
  Server server(std::move(models), {&source_}, options_);
  std::thread client([&] {
    RawClient raw(server.port());
    raw.send(http_post(kPlain, R"({"prompt": "cat"})"));
    EXPECT_EQ(raw.answer().status, 500);
  });
  EXPECT_THAT([&] { server.run(); },
              testing::ThrowsMessage<MachineError>(HasSubstr("the scripted engine is broken")));
  client.join();
}

TEST_F(ServerTest, TwoServersDoNotShareAPort) {
  options_.port = port();
  std::vector<ServedModel> models;
  models.push_back(small_model());
  EXPECT_THAT([&] { Server(std::move(models), {&other_}, options_); },
              testing::ThrowsMessage<UserError>(HasSubstr("cannot listen on 127.0.0.1 port")));
}

}  // namespace
}  // namespace lmpo
