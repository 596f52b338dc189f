// Bodies of requests: what is read of them, and the message for each field that is not as it should be.
#include <gmock/gmock.h>

#include "serve/api_error.h"
#include "serve/chat_request.h"
#include "serve/completion_request.h"

namespace lmpo::requests_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Refusal {
  int status = 0;
  ordered_json error;

  std::string message() const { return error["message"]; }
};

template <typename Action>
Refusal refusal_of(Action&& action) {
  try {
    action();
  } catch (const ApiError& error) {
    return {error.status(), error.body()["error"]};
  }
  return {};
}

struct BadField {
  std::string fields;   // of the body, beside those that are needed
  std::string param;    // the field that the error names
  std::string message;  // a part of it
};

// Fields of both endpoints.
const std::vector<BadField> kBadFields = {
    {R"("model": 3)", "model", "a string was expected, not a whole number"},
    {R"("temperature": "hot")", "temperature", "a number was expected, not a string"},
    {R"("temperature": -0.1)", "temperature", "-0.1 is not between 0 and"},
    {R"("temperature": 1e9)", "temperature", "is not between 0 and 100"},
    {R"("top_p": 1.5)", "top_p", "1.5 is not between 0 and 1"},
    {R"("top_p": [])", "top_p", "not a list"},
    {R"("min_p": -1)", "min_p", "is not between"},
    {R"("typical_p": true)", "typical_p", "not true or false"},
    {R"("top_k": -2)", "top_k", "is not between -1"},
    {R"("top_k": 1.5)", "top_k", "a whole number was expected, not a number"},
    {R"("top_k": 99999999999999999999)", "top_k", "a whole number was expected"},
    {R"("repetition_penalty": 0)", "repetition_penalty", "is not between"},
    {R"("presence_penalty": 2.1)", "presence_penalty", "is not between -2 and 2"},
    {R"("frequency_penalty": {})", "frequency_penalty", "not an object"},
    {R"("logit_bias": [1])", "logit_bias", "an object was expected, not a list"},
    {R"("logit_bias": {"cat": 1})", "logit_bias", "'cat' is no token id"},
    {R"("logit_bias": {"-1": 1})", "logit_bias", "'-1' is no token id"},
    {R"("logit_bias": {"1 ": 1})", "logit_bias", "'1 ' is no token id"},
    {R"("logit_bias": {"1": 101})", "logit_bias", "between -100 and 100"},
    {R"("logit_bias": {"1": "x"})", "logit_bias", "between -100 and 100"},
    {R"("max_tokens": -1)", "max_tokens", "-1 is not between 0"},
    {R"("max_tokens": "10")", "max_tokens", "a whole number was expected, not a string"},
    {R"("max_tokens": 18446744073709551615)", "max_tokens", "is not between"},
    {R"("max_tokens": 5, "max_completion_tokens": 6)", "max_tokens", "give one of them"},
    {R"("max_tokens": 0)", "max_tokens", "nothing would be answered"},
    {R"("n": 0)", "n", "0 is not between 1 and 128"},
    {R"("n": 129)", "n", "129 is not between 1 and 128"},
    {R"("n": 1.0)", "n", "a whole number was expected"},
    {R"("best_of": 3)", "best_of", "unless it equals 'n'"},
    {R"("stop": 5)", "stop", "a string or a list of strings was expected"},
    {R"("stop": [1])", "stop", "a string or a list of strings was expected"},
    {R"("stop": "")", "stop", "1 to 1000 bytes, not 0"},
    {R"("stop": ["a", ""])", "stop", "1 to 1000 bytes, not 0"},
    {R"("stop_token_ids": [-1])", "stop_token_ids", "a token id was expected, not -1"},
    {R"("stop_token_ids": 3)", "stop_token_ids", "a list was expected"},
    {R"("seed": 1.5)", "seed", "a whole number was expected"},
    {R"("stream": "yes")", "stream", "true or false was expected, not a string"},
    {R"("stream_options": {"include_usage": true})", "stream_options", "only for requests with"},
    {R"("stream": true, "stream_options": 3)", "stream_options", "an object was expected"},
    {R"("stream": true, "stream_options": {"include_usage": 1})", "stream_options.include_usage",
     "true or false was expected"},
    {R"("response_format": {"type": "json_object"})", "response_format", "\"json_object\" is not"},
    {R"("response_format": {"type": "json_schema", "json_schema": {}})", "response_format",
     "\"json_schema\" is not supported"},
    {R"("response_format": "text")", "response_format", "an object was expected"},
    {R"("guided_json": {"type": "object"})", "guided_json", "is not supported"},
    {R"("use_beam_search": true)", "use_beam_search", "is not supported"},
    {R"("min_tokens": 4)", "min_tokens", "is not supported"},
    {R"("skip_special_tokens": false)", "skip_special_tokens", "is not supported"},
    {R"("ignore_eos": 1)", "ignore_eos", "true or false was expected"}};

ordered_json body_with(const std::string& needed, const std::string& fields) {
  return parse_body("{" + needed + (fields.empty() ? "" : ", " + fields) + "}");
}

ChatRequest chat(const std::string& fields) {
  return read_chat_request(body_with(R"("messages": [{"role": "user", "content": "Hi"}])", fields));
}

CompletionRequest completion(const std::string& fields) {
  return read_completion_request(body_with(R"("prompt": "Hi")", fields));
}

void expect_refusal(const Refusal& refusal, const BadField& bad) {
  EXPECT_EQ(refusal.status, 400) << bad.fields;
  ASSERT_TRUE(refusal.error.is_object()) << bad.fields;
  EXPECT_EQ(refusal.error["type"], "invalid_request_error");
  EXPECT_EQ(refusal.error["param"], bad.param) << bad.fields;
  EXPECT_THAT(refusal.message(), HasSubstr(bad.message)) << bad.fields;
  EXPECT_LT(refusal.message().size(), 400U);
}

TEST(Requests, FieldsOfWrongTypeOrRangeAreNamed) {
  for (const BadField& bad : kBadFields) {
    expect_refusal(refusal_of([&] { chat(bad.fields); }), bad);
    expect_refusal(refusal_of([&] { completion(bad.fields); }), bad);
  }
}

TEST(Requests, FieldsOfChatsOfWrongTypeOrRangeAreNamed) {
  const std::vector<BadField> bad_fields = {
      {R"("logprobs": 3)", "logprobs", "true or false was expected"},
      {R"("top_logprobs": 3)", "top_logprobs", "needs 'logprobs' to be true"},
      {R"("logprobs": true, "top_logprobs": 21)", "top_logprobs", "between 0 and 20"},
      {R"("tools": 3)", "tools", "a list of JSON schemas was expected"},
      {R"("tools": [{"type": "function"}])", "tools", "it has no 'name'"},
      {R"("tool_choice": "required")", "tool_choice", "\"required\" is not supported"},
      {R"("tool_choice": {"type": "function", "function": {"name": "f"}})", "tool_choice",
       "is not supported"},
      {R"("chat_template_kwargs": [])", "chat_template_kwargs", "an object of names and values"},
      {R"("chat_template_kwargs": {"messages": 1})", "chat_template_kwargs", "cannot be set"},
      {R"("functions": [{"name": "f"}])", "functions", "use 'tools'"},
      {R"("parallel_tool_calls": false)", "parallel_tool_calls", "is not supported"},
      {R"("modalities": ["audio"])", "modalities", "the model writes text"},
      {R"("reasoning_effort": 3)", "reasoning_effort", "a string was expected"},
      {R"("continue_final_message": true)", "continue_final_message", "is not supported"},
      {R"("add_generation_prompt": "no")", "add_generation_prompt", "true or false was expected"}};
  for (const BadField& bad : bad_fields) {
    expect_refusal(refusal_of([&] { chat(bad.fields); }), bad);
  }
}

TEST(Requests, FieldsOfCompletionsOfWrongTypeOrRangeAreNamed) {
  const std::vector<BadField> bad_fields = {
      {R"("logprobs": true)", "logprobs", "a whole number was expected"},
      {R"("logprobs": 21)", "logprobs", "between 0 and 20"},
      {R"("echo": 1)", "echo", "true or false was expected"},
      {R"("suffix": "end")", "suffix", "lmpo only continues a prompt"}};
  for (const BadField& bad : bad_fields) {
    expect_refusal(refusal_of([&] { completion(bad.fields); }), bad);
  }
}

TEST(Requests, PromptsAreTextsOrTokens) {
  const auto prompts = [](const std::string& value) {
    return read_completion_request(parse_body(R"({"prompt": )" + value + "}")).prompts;
  };
  using Ids = std::vector<std::int32_t>;
  EXPECT_THAT(prompts(R"("a")"), ElementsAre(GivenText("a")));
  EXPECT_THAT(prompts(R"("")"), ElementsAre(GivenText("")));
  EXPECT_THAT(prompts(R"(["a", "b"])"), ElementsAre(GivenText("a"), GivenText("b")));
  EXPECT_THAT(prompts("[1, 2]"), ElementsAre(GivenText(Ids{1, 2})));
  EXPECT_THAT(prompts("[[1, 2], [3]]"), ElementsAre(GivenText(Ids{1, 2}), GivenText(Ids{3})));
  for (const char* wrong : {"null", "3", "{}", "[]", "[true]", "[1, \"a\"]", "[[1.5]]", "[[-1]]",
                            "[[4294967296]]", "[[[1]]]"}) {
    const Refusal refusal = refusal_of([&] { prompts(wrong); });
    EXPECT_EQ(refusal.status, 400) << wrong;
    EXPECT_EQ(refusal.error["param"], "prompt") << wrong;
  }
  std::string many = R"(["a")";
  for (int i = 0; i < 200; ++i) {
    many += R"(, "a")";
  }
  EXPECT_THAT(refusal_of([&] { prompts(many + R"(], "n": 100)"); }).message(),
              HasSubstr("201 prompts with n = 100 are more than 2048 answers"));
}

TEST(Requests, MessagesThatAreNoneAreNamed) {
  const std::vector<BadField> bad_messages = {
      {"null", "messages", "Missing required parameter: 'messages'"},
      {"3", "messages", "a list was expected"},
      {"[]", "messages", "the list is empty"},
      {"[3]", "messages[0]", "an object was expected, not a whole number"},
      {R"([{"role": "user", "content": "a"}, {"content": "b"}])", "messages[1].role",
       "Missing required parameter: 'messages[1].role'"},
      {R"([{"role": 3, "content": "b"}])", "messages[0].role", "a string was expected"},
      {R"([{"role": "user"}])", "messages[0].content", "Missing required parameter"},
      {R"([{"role": "user", "content": 3}])", "messages[0].content", "a string or a list of parts"},
      {R"([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}])",
       "messages[0].content[0]", "the model reads text alone; not one of type \"image_url\""},
      {R"([{"role": "user", "content": [{"type": "input_audio"}]}])", "messages[0].content[0]",
       "the model reads text alone"},
      {R"([{"role": "user", "content": ["a"]}])", "messages[0].content[0]", "only parts"},
      {R"([{"role": "user", "content": [{"type": "text"}]}])", "messages[0].content[0]", "only"},
      {R"([{"role": "assistant", "content": "", "tool_calls": 3}])", "messages[0].tool_calls",
       "a list was expected"},
      {R"([{"role": "assistant", "tool_calls": [{"id": "1"}]}])", "messages[0].tool_calls[0]",
       "was expected"},
      {R"([{"role": "assistant", "content": "", "function_call": {"name": "f"}}])",
       "messages[0].function_call", "use 'tool_calls'"}};
  for (const BadField& bad : bad_messages) {
    expect_refusal(
        refusal_of([&] { read_chat_request(parse_body(R"({"messages": )" + bad.fields + "}")); }),
        bad);
  }
}

TEST(Requests, MessagesBecomeWhatTemplatesTake) {
  const ChatRequest request = read_chat_request(parse_body(R"({"messages": [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    {"role": "assistant", "content": null, "tool_calls": [
      {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"z\": 1, \"a\": 2}"}},
      {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "no JSON"}}]},
    {"role": "tool", "tool_call_id": "c1", "content": "3"}]})"));
  EXPECT_EQ(request.messages[0], ordered_json({{"role", "system"}, {"content", "Be brief."}}));
  EXPECT_EQ(request.messages[1]["content"], "ab");
  EXPECT_EQ(request.messages[2]["tool_calls"][0]["function"]["arguments"].dump(),
            R"({"z":1,"a":2})");
  EXPECT_EQ(request.messages[2]["tool_calls"][1]["function"]["arguments"], "no JSON");
  EXPECT_EQ(request.messages[3]["tool_call_id"], "c1");
}

TEST(Requests, ToolsAreGivenToTheTemplateUnlessNoneMayBeCalled) {
  const std::string tools =
      R"("tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}])";
  EXPECT_TRUE(chat(tools).calls_tools);
  EXPECT_EQ(chat(tools).inputs["tools"][0]["function"]["name"], "f");
  const ChatRequest none = chat(tools + R"(, "tool_choice": "none")");
  EXPECT_FALSE(none.calls_tools);
  EXPECT_FALSE(none.inputs.contains("tools"));
  EXPECT_EQ(chat(R"("chat_template_kwargs": {"enable_thinking": false})").inputs.dump(),
            R"({"enable_thinking":false})");
  EXPECT_FALSE(chat("\"tools\": []").calls_tools);
}

TEST(Requests, FieldsSetWhatTheySay) {
  const AnswerSettings set =
      completion(R"("temperature": 0.5, "top_p": 0.9, "top_k": 5, "min_p": 0.1, "typical_p": 0.8,
        "repetition_penalty": 1.2, "presence_penalty": -1, "frequency_penalty": 0.25,
        "logit_bias": {"7": -100, "9": 2.5}, "max_tokens": 3, "n": 2, "best_of": 2,
        "stop": ["x", "y"], "stop_token_ids": [4], "seed": -1, "stream": true,
        "stream_options": {"include_usage": true}, "ignore_eos": true)")
          .settings;
  EXPECT_EQ(set.sampling.temperature, 0.5);
  EXPECT_EQ(set.sampling.top_p, 0.9);
  EXPECT_EQ(set.sampling.top_k, 5);
  EXPECT_EQ(set.sampling.min_p, 0.1);
  EXPECT_EQ(set.sampling.typical_p, 0.8);
  EXPECT_EQ(set.sampling.repetition_penalty, 1.2);
  EXPECT_EQ(set.sampling.presence_penalty, -1);
  EXPECT_EQ(set.sampling.frequency_penalty, 0.25);
  EXPECT_THAT(set.sampling.logit_bias, ElementsAre(std::pair(7, -100.0F), std::pair(9, 2.5F)));
  EXPECT_EQ(set.max_tokens, 3);
  EXPECT_EQ(set.choices, 2);
  EXPECT_THAT(set.stop, ElementsAre("x", "y"));
  EXPECT_THAT(set.stop_ids, ElementsAre(4));
  EXPECT_EQ(set.seed, static_cast<std::uint64_t>(-1));
  EXPECT_TRUE(set.stream && set.include_usage && set.ignore_eos);
  EXPECT_EQ(chat(R"("max_completion_tokens": 9)").settings.max_tokens, 9);
}

TEST(Requests, DefaultsAreThoseOfTheApi) {
  const ChatRequest request = chat(R"("temperature": null, "stop": null, "seed": null)");
  EXPECT_EQ(request.settings.sampling.temperature, 1);
  EXPECT_EQ(request.settings.sampling.top_p, 1);
  EXPECT_EQ(request.settings.choices, 1);
  EXPECT_FALSE(request.settings.max_tokens || request.settings.seed || request.settings.stream);
  EXPECT_EQ(request.top_logps, -1);
  EXPECT_EQ(chat(R"("logprobs": true)").top_logps, 0);
  EXPECT_EQ(completion(R"("logprobs": 2)").top_logps, 2);
}

TEST(Requests, UnknownFieldsAreListedAndKnownOnesWithoutEffectAreNot) {
  const std::string fields = R"("user": "me", "metadata": {}, "store": false, "tempurature": 0)";
  EXPECT_THAT(chat(fields).unknown_fields, ElementsAre("tempurature"));
  EXPECT_THAT(completion(fields).unknown_fields, ElementsAre("tempurature"));
}

TEST(Requests, BodiesThatAreNoObjectsAreRefused) {
  const std::string deep(100'000, '[');
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("[]"), std::string("3"),
        std::string("{\"a\": \"\xC3\"}"), std::string("{\"a\": 1e999}"), std::string(1, '\0'), deep,
        "{\"a\":" + deep, std::string("{} {}")}) {
    const Refusal refusal = refusal_of([&] { parse_body(body); });
    EXPECT_EQ(refusal.status, 400) << body.substr(0, 20);
    EXPECT_THAT(refusal.message(), HasSubstr("the request's body"));
    EXPECT_LT(refusal.message().size(), 400U);
  }
}

TEST(Requests, TextsOfStopsAreLimited) {
  std::string many = "\"a\"";
  for (int i = 0; i < 16; ++i) {
    many += ", \"a\"";
  }
  EXPECT_THAT(refusal_of([&] { chat("\"stop\": [" + many + "]"); }).message(),
              HasSubstr("at most 16 strings was expected, not of 17"));
  const std::string long_stop(1001, 'x');
  EXPECT_THAT(refusal_of([&] { chat("\"stop\": \"" + long_stop + "\""); }).message(),
              HasSubstr("not 1001"));
}

}  // namespace
}  // namespace lmpo::requests_test
