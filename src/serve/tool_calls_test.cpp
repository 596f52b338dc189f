// Calls of tools in answers, as the families' models write them.
#include "serve/tool_calls.h"

#include <gmock/gmock.h>

#include "base/testing/test_paths.h"
#include "generate/answer_text.h"
#include "serve/xml_call.h"

namespace lmpo::tool_calls_test {
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
Split split(const ToolFormat* of, const std::string& text, std::size_t piece,
            const ordered_json& tools = nullptr) {
  ToolCallFilter filter(of, tools);
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
    {"mistral", "See [1].", "See [1].", {}},
    {"mistral_named",
     "I look.[TOOL_CALLS]f[ARGS]{\"a\": \"[ARGS]\"}[TOOL_CALLS]g[CALL_ID]123456789[ARGS]{}",
     "I look.",
     {"f {\"a\":\"[ARGS]\"}", "g {}"}},
    {"mistral_named", "[TOOL_CALLS]f[ARGS]{\"a\": ", "[TOOL_CALLS]f[ARGS]{\"a\": ", {}},
    {"mistral_named", "[TOOL_CALLS]f[ARGS][1]", "[TOOL_CALLS]f[ARGS][1]", {}},
    {"mistral_named", "[TOOL_CALLS][ARGS]{}", "[TOOL_CALLS][ARGS]{}", {}},
    {"mistral_named", "See [TOOL] [1].", "See [TOOL] [1].", {}},
    {"qwen3_coder",
     "<tool_call>\n<function=f>\n<parameter=a>\n 1\n\n2\n</parameter>\n</function>\n</tool_call>",
     "",
     {"f {\"a\":\" 1\\n\\n2\"}"}},
    {"qwen3_coder",
     "Now.<tool_call><function=f></function></tool_call>\n<tool_call>\n<function=g>\n"
     "<parameter=a>x</parameter></function>",
     "Now.",
     {"f {}", "g {\"a\":\"x\"}"}},
    {"qwen3_coder", "<tool_call>\n<function=f>\n<para", "<tool_call>\n<function=f>\n<para", {}},
    {"qwen3_coder",
     "<tool_call>{\"name\": \"f\"}</tool_call>",
     "<tool_call>{\"name\": \"f\"}</tool_call>",
     {}},
    {"qwen3_coder",
     "<tool_call><function=></function></tool_call>",
     "<tool_call><function=></function></tool_call>",
     {}}};

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

// tools/oracle/tool_call_golden.py says where these are from.
TEST(ToolCalls, OfRealTemplatesComeBack) {
  const ordered_json golden = parse_ordered_json(
      read_file(source_folder() / "src/serve/testdata/tool_calls.json"), "tool_calls.json");
  for (const auto& [name, of] : golden.items()) {
    std::string marks;
    for (const ordered_json& mark : of["marks"]) {
      marks += mark.get<std::string>();
    }
    const ToolFormat* format = tool_format(marks);
    ASSERT_NE(format, nullptr) << name;
    for (const ordered_json& answer : of["answers"]) {
      const std::string text = answer["text"];
      std::vector<std::string> calls;
      for (const std::string arguments : answer["calls"]) {
        calls.push_back("weather " + ordered_json::parse(arguments).dump());
      }
      const Split all = split(format, text, 7, of["tools"]);
      EXPECT_EQ(all.calls, calls) << name << ": " << text;
      EXPECT_EQ(all.content.substr(0, all.content.find_last_not_of('\n') + 1), answer["content"])
          << name << ": " << text;
    }
  }
}

TEST(ToolCalls, ValuesWithoutTypesHaveThoseOfTheTool) {
  const auto argument = [](const std::string& value, const ordered_json& schema) {
    const ordered_json tools = {
        {{"function", {{"name", "f"}, {"parameters", {{"properties", {{"a", schema}}}}}}}}};
    const auto call =
        xml_call("<function=f>\n<parameter=a>\n" + value + "\n</parameter>\n</function>", tools);
    return call ? ordered_json::parse(call->arguments)["a"] : ordered_json();
  };
  EXPECT_EQ(argument("3", {{"type", "integer"}}), 3);
  EXPECT_EQ(argument("3", {{"type", "string"}}), "3");
  EXPECT_EQ(argument("3", {{"type", {"string", "null"}}}), "3");
  EXPECT_EQ(argument("3", {{"enum", {"3", "4"}}}), "3");
  EXPECT_EQ(argument("3", {{"description", "any"}}), 3);
  EXPECT_EQ(argument("3", nullptr), "3");  // no schema
  EXPECT_EQ(argument("True", {{"type", "boolean"}}), true);
  EXPECT_EQ(argument("false", {{"type", "boolean"}}), false);
  EXPECT_EQ(argument("None", {{"type", "integer"}}), nullptr);
  EXPECT_EQ(argument("three", {{"type", "integer"}}), "three");
  EXPECT_EQ(argument("[1, {\"b\": 2}]", {{"type", "array"}}),
            ordered_json::parse("[1, {\"b\": 2}]"));
}

// Special tokens leave the text of an answer, but those of calls must not.
TEST(ToolCalls, TheirSpecialTokensStayInTheText) {
  json gpt2 = read_json(source_folder() / "src/text/testdata/gpt2.json");
  json sign = gpt2["added_tokens"][0];
  for (const char* text : {"[TOOL_CALLS]", "[ARGS]", "[OTHER]"}) {
    sign["id"] = 1000 + gpt2["added_tokens"].size();
    sign["content"] = text;
    gpt2["added_tokens"].push_back(sign);
  }
  const Tokenizer tokenizer = Tokenizer::from_json(gpt2.dump(), "gpt2.json");
  const auto text_of = [&](std::vector<TokenId> shown) {
    AnswerText answer(tokenizer, {}, std::move(shown));
    std::string text;
    for (const TokenId token :
         tokenizer.encode("é[OTHER][TOOL_CALLS]f[ARGS]{\"a\": \"ü\"}<|endoftext|>", false)) {
      text += answer.add(token);
    }
    return text + answer.finish();
  };
  EXPECT_EQ(text_of({}), "éf{\"a\": \"ü\"}");
  EXPECT_EQ(text_of(tool_tokens(format("mistral_named"), tokenizer)),
            "é[TOOL_CALLS]f[ARGS]{\"a\": \"ü\"}");
  EXPECT_EQ(tool_tokens(nullptr, tokenizer).size(), 0U);
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
  EXPECT_EQ(tool_format("... [TOOL_CALLS] ... [ARGS] ...")->name, "mistral_named");
  EXPECT_EQ(tool_format("'<tool_call>\n<function=' ... '<parameter='")->name, "qwen3_coder");
  EXPECT_EQ(tool_format("Environment: ipython ... {\"name\": ..., \"parameters\": ...")->name,
            "llama3");
  EXPECT_EQ(tool_format("<|im_start|>{{ message.content }}"), nullptr);
}

}  // namespace
}  // namespace lmpo::tool_calls_test
