// Bad input over loopback: each kind with the status and the message that a client gets.
#include "serve/testing/server_fixture.h"

namespace lmpo::bad_input_test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const std::string kNoTime = "did not come in time";

// A chat of one message with these fields.
std::string chat_with(const std::string& fields) {
  return R"({"messages": [{"role": "user", "content": "Hi"}], )" + fields + "}";
}

struct BadBody {
  std::string name;
  std::string path;
  std::string body;
  int status;
  std::string message;
};

std::vector<BadBody> bad_bodies() {
  const std::string deep(200'000, '[');
  return {
      {"no JSON", kChat, R"({"messages": )", 400, "the request's body"},
      {"empty", kPlain, "", 400, "the request's body"},
      {"a list", kChat, "[]", 400, "an object was expected, not a list"},
      {"deep nesting", kChat, deep, 400, "the request's body"},
      {"deep nesting of a field", kPlain, R"({"prompt": )" + deep, 400, "the request's body"},
      {"invalid UTF-8", kPlain, "{\"prompt\": \"\xFF\xFE\"}", 400, "the request's body"},
      {"half a surrogate pair", kPlain, R"({"prompt": "\ud800"})", 400, "the request's body"},
      {"wrong type", kChat, chat_with(R"("temperature": "hot")"), 400,
       "Invalid type for 'temperature': a number was expected"},
      {"wrong range", kChat, chat_with(R"("top_p": 2)"), 400, "2 is not between 0 and 1"},
      {"no messages", kChat, "{}", 400, "Missing required parameter: 'messages'"},
      {"no prompt", kPlain, "{}", 400, "Missing required parameter: 'prompt'"},
      {"unknown model", kChat, chat_with(R"("model": "nobody")"), 404,
       "The model 'nobody' does not exist"},
      {"prompt longer than the context", kPlain, json{{"prompt", std::vector<int>(128, 40)}}.dump(),
       400, "Please reduce the length"},
      {"chat longer than the context", kChat,
       json{{"messages", {{{"role", "user"}, {"content", std::string(9000, 'x')}}}}}.dump(), 400,
       "Please reduce the length"},
      {"answer longer than the context", kPlain, R"({"prompt": "cat", "max_tokens": 128})", 400,
       "Please reduce the length"},
      {"token beyond the vocabulary", kPlain, R"({"prompt": [1000000000]})", 400,
       "the model has no token 1000000000"},
      {"token to detokenize beyond the vocabulary", "/detokenize", R"({"tokens": [1000000000]})",
       400, "the model has no token 1000000000"},
      {"bias of a token beyond the vocabulary", kPlain,
       R"({"prompt": "cat", "logit_bias": {"1000000000": 1}})", 400,
       "the model has no token 1000000000"},
      {"an image", kChat,
       R"({"messages": [{"role": "user", "content": [{"type": "image_url",
           "image_url": {"url": "data:image/png;base64,AA"}}]}]})",
       400, "the model reads text alone; not one of type \"image_url\""},
      {"n too large", kChat, chat_with(R"("n": 1000000)"), 400, "1000000 is not between 1 and 128"},
      {"stop list too long", kChat,
       chat_with(R"("stop": )" + json(std::vector<std::string>(17, "x")).dump()), 400,
       "a list of at most 16 strings was expected, not of 17"},
      {"stop too long", kChat, chat_with(R"("stop": ")" + std::string(1001, 'x') + "\""), 400,
       "each string has 1 to 1000 bytes, not 1001"},
      {"unknown path", "/v1/nothing", "{}", 404, "/v1/nothing"}};
}

TEST_F(ServerTest, BadBodiesAreRefusedAndTheConnectionStaysOpen) {
  RawClient client(port());
  for (const BadBody& bad : bad_bodies()) {
    client.send(http_post(bad.path, bad.body));
    const HttpAnswer answer = client.answer();
    EXPECT_EQ(answer.status, bad.status) << bad.name << ": " << answer.body;
    EXPECT_EQ(answer.error()["type"], "invalid_request_error") << bad.name;
    EXPECT_THAT(answer.error().value("message", ""), HasSubstr(bad.message)) << bad.name;
    EXPECT_LT(answer.body.size(), 1000U) << bad.name;
  }
  client.send(http_get("/health"));
  EXPECT_EQ(client.answer().status, 200);
}

std::string post_with(const std::string& fields) {
  return "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + fields +
         "\r\n";
}

// Each would make a proxy and this server see different requests: the second must never be answered.
TEST_F(ServerTest, SmuggledRequestsAreNotAnswered) {
  const std::string second = http_get("/v1/models");
  const std::string length = fmt::format("Content-Length: {}\r\n", 5 + second.size());
  for (const auto& [fields, status, message] :
       std::vector<std::tuple<std::string, int, std::string>>{
           {length + "Transfer-Encoding: chunked\r\n", 411, "Transfer-Encoding is not supported"},
           {"Transfer-Encoding: chunked\r\n" + length, 411, "Transfer-Encoding is not supported"},
           {"Transfer-Encoding: chunked\r\n", 411, "Transfer-Encoding is not supported"},
           {length + "Transfer-Encoding : chunked\r\n", 400, "NAME: VALUE was expected"},
           {length + "X: a\r\n Transfer-Encoding: chunked\r\n", 400, "NAME: VALUE was expected"},
           {length + "Content-Length: 5\r\n", 400, "two Content-Length fields"},
           {"Content-Length: 5, 90\r\n", 400, "Invalid Content-Length"},
           {"Content-Length: +5\r\n", 400, "Invalid Content-Length"},
           {"X: a\nContent-Length: 5\r\n", 400, "control character"},
           {"", 411, "no Content-Length"}}) {
    RawClient client(port());
    client.send(post_with(fields) + "0\r\n\r\n" + second);
    const HttpAnswer answer = client.answer();
    EXPECT_EQ(answer.status, status) << fields;
    EXPECT_THAT(answer.error().value("message", ""), HasSubstr(message)) << fields;
    EXPECT_EQ(client.answer().status, 0) << fields;  // closed
  }
}

TEST_F(ServerTest, AHundredMegabytesAreTooLong) {
  RawClient client(port());
  client.send(post_with("Content-Length: 100000000\r\n"));
  const HttpAnswer answer = client.answer();
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.error().value("message", ""),
              HasSubstr("body is longer than 16777216 bytes, the server's limit"));
}

// Slowloris: each byte comes soon, and the request never ends.
TEST_F(ServerTest, ClientsThatTrickleAreCutOff) {
  options_.http.head_time = 200ms;
  options_.http.body_time = 200ms;
  for (const std::string& beginning :
       {std::string("GET /health HTTP/1.1\r\n"), post_with("Content-Length: 100000\r\n")}) {
    RawClient client(port());
    client.send(beginning);
    const auto start = std::chrono::steady_clock::now();
    while (client.send("x") && std::chrono::steady_clock::now() - start < 1s) {
      std::this_thread::sleep_for(20ms);
    }
    const HttpAnswer answer = client.answer();
    EXPECT_EQ(answer.status, 408) << beginning;
    EXPECT_THAT(answer.error().value("message", ""), HasSubstr(kNoTime));
  }
  EXPECT_EQ(exchange(http_get("/health")).status, 200);
}

}  // namespace
}  // namespace lmpo::bad_input_test
