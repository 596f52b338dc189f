// The server over loopback: clients that misbehave, limits, and how it ends.
#include "base/random.h"
#include "serve/testing/server_fixture.h"

namespace lmpo::connections_test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

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

// The answer to a plain completion, whole or in events.
std::string text_of(const HttpAnswer& answer, bool stream) {
  EXPECT_EQ(answer.status, 200) << answer.body;
  if (!stream) {
    return answer.value()["choices"][0]["text"];
  }
  std::string text;
  for (const json& event : events_of(answer.body)) {
    text += event.is_object() ? event["choices"][0]["text"].get<std::string>() : "";
  }
  return text;
}

TEST_F(ServerTest, ManyClientsOfAllKindsDoNotDisturbEachOther) {
  const int at = port();
  std::vector<std::thread> clients;
  for (std::uint64_t number = 0; number < 6; ++number) {
    clients.emplace_back([at, number] {
      Random random(17, number);
      for (int i = 0; i < 30; ++i) {
        RawClient client(at);
        const std::string prompt = fmt::format("client {} asks {}", number, i);
        const bool stream = random.below(2) == 1;
        const std::string body =
            json{{"prompt", prompt}, {"stream", stream}, {"max_tokens", 40}}.dump();
        switch (random.below(4)) {
          case 0:  // leaves without reading
            client.send(http_post(kPlain, body));
            break;
          case 1:
            client.send(http_post(kPlain, body.substr(0, body.size() / 2)));
            EXPECT_EQ(client.answer().status, 400);
            break;
          default:
            client.send(http_post(kPlain, body));
            EXPECT_EQ(text_of(client.answer(), stream), prompt);
        }
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  wait_until([&] { return source_.running() == 0; });
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
              ::testing::ThrowsMessage<MachineError>(HasSubstr("the scripted engine is broken")));
  client.join();
}

TEST_F(ServerTest, TwoServersDoNotShareAPort) {
  options_.port = port();
  std::vector<ServedModel> models;
  models.push_back(small_model());
  EXPECT_THAT([&] { Server(std::move(models), {&other_}, options_); },
              ::testing::ThrowsMessage<UserError>(HasSubstr("cannot listen on 127.0.0.1 port")));
}

}  // namespace
}  // namespace lmpo::connections_test
