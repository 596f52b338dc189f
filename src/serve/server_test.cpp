// The server over loopback: what clients get for what they ask.
#include "serve/server.h"

#include "serve/testing/server_fixture.h"

namespace lmpo::server_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(ServerTest, AnswersAChat) {
  const HttpAnswer answer = post(kChat, kHello);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/json"));
  const json value = answer.value();
  EXPECT_EQ(value["object"], "chat.completion");
  EXPECT_EQ(value["model"], "small");
  EXPECT_THAT(value["id"].get<std::string>(), ::testing::StartsWith("chatcmpl-"));
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
  source_.steps_left = 12;  // fewer than the prompt has tokens, so the engine has not ended
  const json value =
      post(kPlain, R"({"prompt": "one two three four five six seven eight nine ten eleven",
                       "stop": ["o th"], "max_tokens": 50})")
          .value();
  EXPECT_EQ(value["choices"][0]["text"], "one tw");
  EXPECT_EQ(value["choices"][0]["finish_reason"], "stop");
  wait_until([&] { return source_.cancelled() == 1; });
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
  EXPECT_THAT(page.body,
              ::testing::AllOf(::testing::StartsWith("<!DOCTYPE html>"), HasSubstr("v1/")));
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
              ::testing::AllOf(HasSubstr("This model's maximum context length is 128 tokens."),
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

}  // namespace
}  // namespace lmpo::server_test
