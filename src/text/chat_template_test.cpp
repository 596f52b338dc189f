#include "text/chat_template.h"

#include <gtest/gtest.h>

namespace lmpo::chat_template_test {
namespace {

std::string rendered(const std::string& text, const ordered_json& message) {
  return ChatTemplate::parse(text, "t").render(ordered_json::array({message}), false,
                                               ordered_json::object());
}

// As transformers' _alias_reasoning_fields: the right values are what transformers 5.23 renders.
TEST(ChatTemplate, NamesOfReasoningAreAliases) {
  const std::string all =
      "{% set m = messages[0] %}{{ m.reasoning_content }}|{{ m.thinking }}|{{ m.reasoning }}";
  EXPECT_EQ(rendered(all, {{"role", "a"}, {"thinking", "x"}}), "x|x|");
  EXPECT_EQ(rendered(all, {{"role", "a"}, {"reasoning", "x"}}), "x|x|x");
  EXPECT_EQ(rendered(all, {{"role", "a"}, {"reasoning_content", "x"}}), "x|x|");
  EXPECT_EQ(rendered(all, {{"reasoning_content", "x"}, {"thinking", "y"}, {"reasoning", "z"}}),
            "x|y|z");
  EXPECT_EQ(
      rendered(all, {{"reasoning_content", nullptr}, {"thinking", nullptr}, {"reasoning", "z"}}),
      "z|z|z");
  EXPECT_EQ(rendered(all, {{"role", "a"}}), "||");
  // The order of keys is what a template sees that prints a message whole.
  EXPECT_EQ(rendered("{{ messages[0]|tojson }}", {{"role", "a"}, {"reasoning", "x"}}),
            R"({"thinking": "x", "role": "a", "reasoning": "x", "reasoning_content": "x"})");
  EXPECT_EQ(rendered("{{ messages[0]|tojson }}", {{"role", "a"}, {"content", "c"}}),
            R"({"role": "a", "content": "c"})");
}

// As transformers 5.23's apply_chat_template.
TEST(ChatTemplate, ANullOfAMessageIsAbsent) {
  EXPECT_EQ(
      rendered("{{ messages[0].content }}|{{ messages[0].tool_calls is defined }}|"
               "{{ messages[0].more }}",
               {{"role", "a"}, {"content", nullptr}, {"tool_calls", nullptr}, {"more", {nullptr}}}),
      "|False|[None]");
}

// transformers gives both as None; other names are not defined.
TEST(ChatTemplate, ToolsAndDocumentsAreNoneWhereThereAreNone) {
  EXPECT_EQ(rendered("{{ tools is none }}|{{ documents is none }}|{{ enable_thinking is defined }}",
                     {{"role", "a"}}),
            "True|True|False");
}

TEST(ChatTemplate, TheDateStaysWhatItIs) {
  ChatTemplate dated = ChatTemplate::parse("{{ strftime_now('%Y') }}", "t");
  EXPECT_TRUE(dated.writes_date());
  EXPECT_FALSE(ChatTemplate::parse("{{ 1 }}", "t").writes_date());
  dated.set_date(std::time_t{86400} * 500);
  EXPECT_EQ(dated.render(ordered_json::array(), false, ordered_json::object()), "1971");
}

}  // namespace
}  // namespace lmpo::chat_template_test
