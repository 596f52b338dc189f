#include "text/template_inputs.h"

#include <gmock/gmock.h>

#include "base/error.h"

namespace lmpo::template_inputs_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ordered_json inputs(std::string_view row) {
  return template_inputs(ordered_json::parse(row), "f:3");
}

std::string fault(std::string_view row) {
  try {
    inputs(row);
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(TemplateInputs, ToolsAreListsOrTheirText) {
  const std::string tool =
      R"({"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}})";
  EXPECT_EQ(inputs(R"({"tools": [)" + tool + "]}").dump(), R"({"tools":[)" + tool + "]}");
  EXPECT_EQ(inputs(ordered_json{{"tools", "[" + tool + "]"}}.dump()).dump(),
            R"({"tools":[)" + tool + "]}");
  // The function alone, a built-in tool, and what Parquet makes of keys that a row lacks.
  EXPECT_EQ(fault(R"({"tools": [{"name": "f"}, {"type": "code_interpreter"}]})"),
            "nothing was thrown");
  EXPECT_EQ(fault(R"({"tools": [{"type": "function", "function":
                      {"name": "f", "description": null, "parameters":
                       {"type": null, "properties": null, "required": null}}}]})"),
            "nothing was thrown");
  for (const char* none :
       {"{}", R"({"tools": null})", R"({"tools": ""})", R"({"tools": []})",
        R"({"tools": "[]", "chat_template_kwargs": {}})", R"({"chat_template_kwargs": ""})"}) {
    EXPECT_TRUE(inputs(none).is_null()) << none;
  }
}

TEST(TemplateInputs, WhatIsNoToolIsNamed) {
  const std::pair<const char*, const char*> faults[] = {
      {R"("weather")", "a list of JSON schemas was expected"},
      {R"({"name": "f"})", "a list of JSON schemas was expected"},
      {R"("[{]")", "a list of JSON schemas was expected"},
      {R"([{"name": "f"}, "f"])", "tool 1 is not one: it is not an object: \"f\""},
      {R"([{}])", "tool 0 is not one: it has no 'name'"},
      {R"([{"type": "function"}])", "it has no 'name'"},
      {R"([{"type": "function", "function": {"name": 3}}])", "it has no 'name'"},
      {R"([{"type": "function", "function": {"name": ""}}])", "it has no 'name'"},
      {R"([{"type": "function", "function": "f"}])", "'function' is not an object"},
      {R"([{"type": 1, "name": "f"}])", "'type' is not a string"},
      {R"([{"name": "f", "parameters": ["a"]}])", "'parameters' are not an object"},
      {R"([{"name": "f", "parameters": {"type": 1}}])", "'type' of its 'parameters'"},
      {R"([{"name": "f", "parameters": {"properties": ["a"]}}])", "'properties' of its"},
      {R"([{"name": "f", "parameters": {"required": "a"}}])", "'required' of its"},
  };
  for (const auto& [tools, expected] : faults) {
    EXPECT_THAT(fault(R"({"tools": )" + std::string(tools) + "}"),
                AllOf(HasSubstr("f:3: key 'tools': "), HasSubstr(expected)))
        << tools;
  }
}

TEST(TemplateInputs, KwargsAreAMapOfNamesThatAreFree) {
  EXPECT_EQ(inputs(R"({"chat_template_kwargs": "{\"a\": [1]}"})").dump(), R"({"a":[1]})");
  for (const char* given : {"[1]", "true", R"("enable_thinking")", R"("{")"}) {
    EXPECT_THAT(fault(R"({"chat_template_kwargs": )" + std::string(given) + "}"),
                HasSubstr("f:3: key 'chat_template_kwargs': an object of names and values"))
        << given;
  }
  for (const char* name : {"messages", "add_generation_prompt", "tools"}) {
    EXPECT_THAT(fault(ordered_json{{"chat_template_kwargs", {{name, 1}}}}.dump()),
                HasSubstr("'" + std::string(name) + "' cannot be set here"));
  }
}

// Deep nesting must not exhaust the stack, however it is written.
TEST(TemplateInputs, DeepTextIsRefused) {
  for (const char* key : {"tools", "chat_template_kwargs"}) {
    const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
    EXPECT_THAT(fault(ordered_json{{key, deep}}.dump()), HasSubstr("was expected")) << key;
  }
}

TEST(TemplateInputs, AreWrittenAsTheyAreRead) {
  const std::string row =
      R"({"chat_template_kwargs":{"enable_thinking":false},"tools":[{"name":"f"}]})";
  ordered_json written;
  add_template_inputs(written, inputs(row));
  EXPECT_EQ(written.dump(), row);
  add_template_inputs(written, nullptr);
  EXPECT_EQ(written.dump(), row);
}

TEST(TemplateInputs, WhatTheTemplateDoesNotReadIsKnown) {
  const ChatTemplate chat = ChatTemplate::parse("{{ enable_thinking }}", "t");
  EXPECT_EQ(unread_inputs(
                chat, {{"enable_thinking", 1}, {"enable_thinkng", 1}, {"x", 2}, {"tools", {1}}}),
            "enable_thinkng, x");
  EXPECT_EQ(unread_inputs(chat, nullptr), "");
}

}  // namespace
}  // namespace lmpo::template_inputs_test
