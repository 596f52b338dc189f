// Calls of tools in answers, as the families' models write them.
#include "serve/tool_calls.h"

#include <gmock/gmock.h>

namespace lmpo {
namespace {

const ToolFormat* format(const std::string& name) {
  for (const ToolFormat& each : tool_formats()) {
    if (each.name == name) {
      return &each;
    }
  }
  return nullptr;
}

struct Split {
  std::string shown;  // before the end
  std::string content;
  std::vector<std::string> calls;  // "name arguments"
};

// The answer in pieces of so many bytes.
Split split(const ToolFormat* of, const std::string& text, std::size_t piece) {
  ToolCallFilter filter(of);
  Split all;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    all.shown += filter.add(std::string_view(text).substr(at, piece));
  }
  const CallsInText rest = filter.finish();
  all.content = all.shown + rest.content;
  for (const ToolCall& call : rest.calls) {
    all.calls.push_back(call.name + " " + call.arguments);
  }
  return all;
}

struct Case {
  std::string format;
  std::string text;
  std::string content;
  std::vector<std::string> calls;
};

const std::vector<Case> kCases = {
    {"hermes",
     "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"z\": 1, \"a\": \"b\"}}\n</tool_call>",
     "",
     {"f {\"z\":1,\"a\":\"b\"}"}},
    {"hermes",
     "I look.\n<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>\n<tool_call>\n"
     "{\"name\": \"g\", \"arguments\": {\"x\": [1, 2]}}</tool_call>",
     "I look.\n",
     {"f {}", "g {\"x\":[1,2]}"}},
    {"hermes", "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n", "", {"f {}"}},
    {"hermes", "<tool_call>\n{\"name\": \"f\", ", "<tool_call>\n{\"name\": \"f\", ", {}},
    {"hermes", "<tool_call>{\"name\": 3}</tool_call>", "<tool_call>{\"name\": 3}</tool_call>", {}},
    {"hermes", "a < b <tool", "a < b <tool", {}},
    {"llama3",
     "{\"name\": \"f\", \"parameters\": {\"city\": \"Rome\"}}",
     "",
     {"f {\"city\":\"Rome\"}"}},
    {"llama3",
     "\n {\"name\": \"f\", \"parameters\": {}}; {\"name\": \"g\", \"parameters\": {}}",
     "",
     {"f {}", "g {}"}},
    {"llama3", "{\"answer\": 42}", "{\"answer\": 42}", {}},
    {"llama3", "A set is {1, 2}.", "A set is {1, 2}.", {}},
    {"mistral",
     "[TOOL_CALLS] [{\"name\": \"f\", \"arguments\": {\"a\": 1}, \"id\": \"123456789\"}]",
     "",
     {"f {\"a\":1}"}},
    {"mistral",
     "[{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {}}]",
     "",
     {"f {}", "g {}"}},
    {"mistral", "[1, 2]", "[1, 2]", {}},
    {"mistral", "See [1].", "See [1].", {}}};

TEST(ToolCalls, AreTakenOutOfTheTextHoweverItComes) {
  for (const Case& each : kCases) {
    const ToolFormat* of = format(each.format);
    ASSERT_NE(of, nullptr);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
      const Split all = split(of, each.text, piece);
      EXPECT_EQ(all.content, each.content) << each.text << " in pieces of " << piece;
      EXPECT_EQ(all.calls, each.calls) << each.text << " in pieces of " << piece;
    }
  }
}

TEST(ToolCalls, OtherTextIsShownAtOnce) {
  EXPECT_EQ(split(format("hermes"), "Some text, a < b, and <tool", 1).shown,
            "Some text, a < b, and ");
  EXPECT_EQ(split(format("llama3"), "A set is {1, 2}.", 1).shown, "A set is {1, 2}.");
  EXPECT_EQ(split(nullptr, "<tool_call>", 1).shown, "<tool_call>");
}

TEST(ToolCalls, DeeplyNestedArgumentsAreText) {
  const std::string text = "<tool_call>{\"name\": \"f\", \"arguments\": " + std::string(5000, '[');
  EXPECT_EQ(split(format("hermes"), text, 100).content, text);
}

TEST(ToolCalls, TheTemplateSaysTheFormat) {
  EXPECT_EQ(tool_format("{{ '<tool_call>' }}")->name, "hermes");
  EXPECT_EQ(tool_format("... [TOOL_CALLS] ...")->name, "mistral");
  EXPECT_EQ(tool_format("Environment: ipython ... {\"name\": ..., \"parameters\": ...")->name,
            "llama3");
  EXPECT_EQ(tool_format("<|im_start|>{{ message.content }}"), nullptr);
}

}  // namespace
}  // namespace lmpo
