#include "data/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace lmpo::schema_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Row row_of(std::string_view text, RowKind kind = RowKind::preference) {
  auto result = normalise_row(ordered_json::parse(text), kind, "f:1");
  if (const auto* reason = std::get_if<DropReason>(&result)) {
    ADD_FAILURE() << "dropped: " << name(*reason);
    return {};
  }
  return std::get<Row>(std::move(result));
}

std::string dropped(std::string_view text, RowKind kind = RowKind::preference) {
  const auto result = normalise_row(ordered_json::parse(text), kind, "f:1");
  const auto* reason = std::get_if<DropReason>(&result);
  return reason == nullptr ? "kept" : std::string(name(*reason));
}

std::string error_of(std::string_view text, RowKind kind = RowKind::preference) {
  try {
    normalise_row(ordered_json::parse(text), kind, "f:1");
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

Passage plain(std::string text) {
  return {{}, std::move(text)};
}
Passage says(std::string text) {
  return {{{"assistant", std::move(text)}}, ""};
}
Passage asked(std::string text) {
  return {{{"user", std::move(text)}}, ""};
}

void expect_row(const Row& row, bool conversational, const Passage& prompt,
                const std::vector<Passage>& responses) {
  EXPECT_EQ(row.conversational, conversational);
  EXPECT_EQ(row.prompt, prompt);
  EXPECT_EQ(row.responses, responses);
}

TEST(PreferenceSchema, Explicit) {
  expect_row(row_of(R"({"prompt": "a", "chosen": "b", "rejected": "c", "score": 3})"), false,
             plain("a"), {plain("b"), plain("c")});
  expect_row(row_of(R"({"prompt": [{"role": "user", "content": "a"}],
                        "chosen": [{"role": "assistant", "content": "b"}],
                        "rejected": [{"role": "assistant", "content": "c"}]})"),
             true, asked("a"), {says("b"), says("c")});
}

TEST(PreferenceSchema, ImplicitPlainMovesASpaceToTheResponses) {
  expect_row(row_of(R"({"chosen": "The sky is blue.", "rejected": "The sky is green."})"), false,
             plain("The sky is"), {plain(" blue."), plain(" green.")});
  expect_row(row_of(R"({"chosen": "ab", "rejected": "cd"})"), false, plain(""),
             {plain("ab"), plain("cd")});
  // U+00E9 and U+00E8 share their first byte, which must stay with its character.
  expect_row(row_of(R"({"chosen": "x\u00e9", "rejected": "x\u00e8"})"), false, plain("x"),
             {plain("\xC3\xA9"), plain("\xC3\xA8")});
}

TEST(PreferenceSchema, ImplicitConversationSharesItsLeadingTurns) {
  constexpr auto text =
      R"({"chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
                            "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}]})";
  const Row row = row_of(text);
  expect_row(row, true, asked("a"), {says("b"), says("c")});
  EXPECT_TRUE(row.implicit_prompt);
}

TEST(PreferenceSchema, ConversationsThatPartEarly) {
  const Row row = row_of(R"({
    "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
               {"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
    "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}]})");
  EXPECT_EQ(row.prompt, asked("a"));
  EXPECT_EQ(row.responses[0].turns.size(), 3u);
  EXPECT_EQ(row.responses[1], says("c"));
}

TEST(PreferenceSchema, MixedRowIgnoresThePromptString) {
  expect_row(row_of(R"({"prompt": "something else", "messages": [{"role": "user", "content": "z"}],
                        "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
                        "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}]})"),
             true, asked("a"), {says("b"), says("c")});
}

TEST(PreferenceSchema, StringPromptBesideMessagesWithoutTurnsIsTheUsers) {
  expect_row(row_of(R"({"prompt": "a", "chosen": [{"role": "assistant", "content": "b"}],
                        "rejected": {"role": "assistant", "content": "c"}})"),
             true, asked("a"), {says("b"), says("c")});
}

TEST(PreferenceSchema, LlamaFactory) {
  expect_row(
      row_of(
          R"({"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "a"}],
                        "chosen": {"from": "gpt", "value": "b"}, "rejected": {"from": "gpt", "value": "c"}})"),
      true, {{{"system", "s"}, {"user", "a"}}, ""}, {says("b"), says("c")});
  expect_row(row_of(R"({"messages": [{"role": "user", "content": "a"}], "system": "s",
                        "chosen": "b", "rejected": "c"})"),
             true, {{{"system", "s"}, {"user", "a"}}, ""}, {says("b"), says("c")});
}

TEST(PreferenceSchema, Alpaca) {
  expect_row(
      row_of(
          R"({"instruction": "a", "input": "i", "output": "b", "chosen": "b", "rejected": "c"})"),
      true, asked("a\ni"), {says("b"), says("c")});
  expect_row(
      row_of(R"({"instruction": "a", "input": "", "chosen": "b", "rejected": "c", "system": "s",
                        "history": [["q", "r"]]})"),
      true, {{{"system", "s"}, {"user", "q"}, {"assistant", "r"}, {"user", "a"}}, ""},
      {says("b"), says("c")});
}

TEST(PreferenceSchema, NullKeysCountAsAbsent) {
  expect_row(row_of(R"({"prompt": null, "messages": null, "system": null, "instruction": "a",
                        "chosen": "b", "rejected": "c"})"),
             true, asked("a"), {says("b"), says("c")});
}

TEST(PreferenceSchema, ContentMayBeTextParts) {
  expect_row(row_of(R"({"prompt": [{"role": "user", "content": [{"type": "text", "text": "a"},
                        {"type": "text", "text": "b"}]}], "chosen": "c", "rejected": "d"})"),
             true, asked("ab"), {says("c"), says("d")});
}

TEST(PreferenceSchema, DroppedRows) {
  EXPECT_EQ(dropped(R"({"prompt": "a", "chosen": "b", "rejected": "b"})"), "identical responses");
  EXPECT_EQ(dropped(R"({"prompt": "a", "chosen": "b", "rejected": ""})"), "empty response");
  EXPECT_EQ(dropped(R"({"prompt": "a", "chosen": " \n", "rejected": "b"})"), "empty response");
  EXPECT_EQ(dropped(R"({"conversations": [{"from": "human", "value": "a"}],
                        "chosen": {"from": "gpt", "value": ""}, "rejected": "b"})"),
            "empty response");
  EXPECT_EQ(
      dropped(R"({"prompt": [{"role": "user", "content": "a"}], "chosen": [], "rejected": "b"})"),
      "empty response");
  EXPECT_EQ(dropped(R"({"prompt": [], "chosen": "a", "rejected": "b"})"), "empty prompt");
  EXPECT_EQ(
      dropped(
          R"({"chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
                        "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})"),
      "identical responses");
}

TEST(PreferenceSchema, UnknownKeysAreNamedWithTheSchemas) {
  EXPECT_THAT(error_of(R"({"question": "a", "answer": "b"})"),
              AllOf(HasSubstr("f:1"), HasSubstr("answer, question"),
                    HasSubstr("prompt, chosen, rejected")));
  EXPECT_THAT(error_of(R"({"prompt": "a", "chosen": "b"})"), HasSubstr("chosen, prompt"));
  EXPECT_THAT(error_of(R"({"messages": [], "label": true})"), HasSubstr("for --objective kto."));
  EXPECT_THAT(error_of(R"({"instruction": "a", "output": "b"})"), HasSubstr("are for lmpo sft."));
  EXPECT_THAT(error_of(R"({"prompt": "a", "responses": ["b", "c"]})"), HasSubstr("pro or rrhf"));
  // As is a null in their place.
  EXPECT_THAT(error_of(R"({"prompt": "Hi", "chosen": "Hello", "rejected": null})"),
              AllOf(HasSubstr("f:1"), HasSubstr("'rejected' is null")));
  EXPECT_THAT(error_of(R"({"prompt": "Hi", "completion": null})", RowKind::sft),
              HasSubstr("completion (null)"));
}

TEST(PreferenceSchema, WrongTypesAreNamed) {
  EXPECT_THAT(error_of(R"({"prompt": "a", "chosen": 3, "rejected": "b"})"),
              AllOf(HasSubstr("f:1"), HasSubstr("'chosen'")));
  EXPECT_THAT(error_of(R"({"prompt": 3, "chosen": "a", "rejected": "b"})"), HasSubstr("'prompt'"));
  EXPECT_THAT(error_of(R"({"prompt": ["a"], "chosen": "a", "rejected": "b"})"),
              HasSubstr("'prompt'"));
  EXPECT_THAT(error_of(R"({"messages": "x", "chosen": "a", "rejected": "b"})"),
              HasSubstr("'messages'"));
  EXPECT_THAT(error_of(R"({"prompt": [{"role": "user"}], "chosen": "a", "rejected": "b"})"),
              HasSubstr("'content'"));
  EXPECT_THAT(error_of(R"({"prompt": [{"role": "user", "content": [{"type": "image"}]}],
                           "chosen": "a", "rejected": "b"})"),
              HasSubstr("'content'"));
  EXPECT_THAT(error_of(R"({"instruction": "a", "input": 4, "chosen": "a", "rejected": "b"})"),
              HasSubstr("'input'"));
  EXPECT_THAT(error_of(R"({"instruction": "a", "history": "h", "chosen": "a", "rejected": "b"})"),
              HasSubstr("'history'"));
}

TEST(PreferenceSchema, AQuestionIsTheUsersTurn) {
  for (const std::string key : {"question", "query", "instruction", "input"}) {
    expect_row(row_of("{\"system\": \"Be brief.\", \"" + key +
                      "\": \"Say hi\", \"chosen\": \"hi\", \"rejected\": \"no\"}"),
               true, {{{"system", "Be brief."}, {"user", "Say hi"}}, ""}, {says("hi"), says("no")});
  }
  expect_row(row_of(R"({"system_prompt": "s", "messages": [{"role": "user", "content": "a"}],
                        "chosen": "b", "rejected": "c"})"),
             true, {{{"system", "s"}, {"user", "a"}}, ""}, {says("b"), says("c")});
  EXPECT_THAT(error_of(R"({"prompt": "a", "question": "b", "chosen": "c", "rejected": "d"})"),
              AllOf(HasSubstr("f:1"), HasSubstr("'prompt' and 'question'"), HasSubstr("differ")));
  EXPECT_EQ(error_of(R"({"prompt": "a", "question": "a", "chosen": "c", "rejected": "d"})"),
            "no error");
}

TEST(PreferenceSchema, AConversationThatRepeatsItsPromptIsTakenOnce) {
  expect_row(row_of(R"({"prompt": [{"role": "user", "content": "a"}],
                 "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
                 "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}]})"),
             true, asked("a"), {says("b"), says("c")});
}

TEST(PreferenceSchema, SpeakersOfOtherProgramsAreTakenAsUserAndAssistant) {
  const Row row = row_of(R"({"conversations": [{"from": "Human", "value": "Hi"}],
                             "chosen": {"from": "Assistant", "value": "Hello"},
                             "rejected": {"from": "bot", "value": "No"}})");
  expect_row(row, true, asked("Hi"), {says("Hello"), says("No")});
  EXPECT_EQ(describe(row.renamed_roles), "human as user, bot as assistant, Assistant as assistant");
  EXPECT_EQ(
      row_of(R"({"prompt": [{"role": "user", "content": "a"}], "chosen": "b", "rejected": "c"})")
          .renamed_roles,
      0u);
}

TEST(PreferenceSchema, AnAnswerIsTheAssistants) {
  EXPECT_THAT(error_of(R"({"system": [{"role": "system", "content": "Be brief."}],
                           "prompt": [{"role": "user", "content": "Hi"}],
                           "chosen": [{"role": "assistant", "content": "Hello"}],
                           "rejected": [{"role": "user", "content": "No"}]})"),
              AllOf(HasSubstr("f:1"), HasSubstr("'rejected'"), HasSubstr("'user'")));
  EXPECT_THAT(error_of(R"({"system": [{"role": "system", "content": "Be brief."}],
                           "prompt": [{"role": "user", "content": "Hi"}],
                           "chosen": "Hello", "rejected": "No"})"),
              AllOf(HasSubstr("'system'"), HasSubstr("a string was expected, not [{")));
}

TEST(PreferenceSchema, PartsThatAreNoTextAreNamed) {
  EXPECT_THAT(error_of(R"({"prompt": [{"role": "user", "content": [{"type": "image"},
                           {"type": "text", "text": "What is this?"}]}],
                           "chosen": "a", "rejected": "b", "images": ["a.png"]})"),
              AllOf(HasSubstr("f:1"), HasSubstr("'prompt'"), HasSubstr("'image'")));
}

TEST(PreferenceSchema, MessagesKeepEveryKeyInItsOrder) {
  const Row row = row_of(R"({
    "prompt": [{"role": "user", "content": "a"},
               {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "function":
                 {"name": "f", "arguments": {"b": 1, "a": 2}}}]},
               {"role": "tool", "tool_call_id": "1", "name": "f", "content": "r"}],
    "chosen": [{"role": "assistant", "content": "", "tool_calls": [{"id": "2"}]}],
    "rejected": [{"role": "assistant", "content": "", "tool_calls": [{"id": "3"}]}],
    "tools": "[{\"name\": \"f\"}]", "chat_template_kwargs": {"enable_thinking": false}})");
  EXPECT_EQ(
      to_json(row.prompt.turns).dump(),
      R"([{"role":"user","content":"a"},{"role":"assistant","content":null,"tool_calls":[{"id":"1",)"
      R"("function":{"name":"f","arguments":{"b":1,"a":2}}}]},)"
      R"({"role":"tool","content":"r","tool_call_id":"1","name":"f"}])");
  EXPECT_EQ(row.template_variables.dump(), R"({"enable_thinking":false,"tools":[{"name":"f"}]})");
  EXPECT_EQ(dropped(R"({"prompt": [{"role": "user", "content": "a"}],
                        "chosen": [{"role": "assistant", "content": "", "reasoning_content": "hm"}],
                        "rejected": [{"role": "assistant", "content": "", "name": "x"}]})"),
            "empty response");
  EXPECT_THAT(error_of(R"({"prompt": [{"role": "user", "content": null}], "chosen": "a",
                           "rejected": "b"})"),
              AllOf(HasSubstr("'prompt'"), HasSubstr("null")));
  EXPECT_THAT(error_of(R"({"prompt": [{"role": "user", "content": "a"}], "chosen": "a",
                           "rejected": "b", "tools": "[{"})"),
              AllOf(HasSubstr("'tools'"), HasSubstr("JSON text")));
}

TEST(PreferenceSchema, KeysThatARowDoesNotNeedAreKnown) {
  const auto unused = [](std::string_view text) {
    std::vector<std::string> keys;
    const RowKeys set = row_of(text).unused_keys;
    for (std::size_t i = 0; i < row_keys().size(); ++i) {
      if ((set >> i & 1) != 0) {
        keys.push_back(row_keys()[i]);
      }
    }
    return keys;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(unused(R"({"prompt": "a", "chosen": "b", "rejected": "c", "tools": null})"), Keys());
  EXPECT_EQ(unused(R"({"system": "s", "prompt": "a", "chosen": "b", "rejected": "c"})"),
            (Keys{"system"}));
  EXPECT_EQ(unused(R"({"instruction": "a", "input": "i", "output": "b", "chosen": "b",
                       "rejected": "c"})"),
            (Keys{"output"}));
}

TEST(SftSchema, EveryKind) {
  const RowKind sft = RowKind::sft;
  expect_row(row_of(R"({"text": "a"})", sft), false, plain(""), {plain("a")});
  expect_row(row_of(R"({"prompt": "a", "completion": "b"})", sft), false, plain("a"), {plain("b")});
  expect_row(row_of(R"({"prompt": [{"role": "user", "content": "a"}],
                        "completion": [{"role": "assistant", "content": "b"}]})",
                    sft),
             true, asked("a"), {says("b")});
  expect_row(row_of(R"({"instruction": "a", "input": "", "output": "b"})", sft), true, asked("a"),
             {says("b")});
  expect_row(row_of(R"({"prompt": "a", "chosen": "b", "rejected": "b"})", sft), false, plain("a"),
             {plain("b")});
}

TEST(SftSchema, AConversationEndsWithItsLastAssistantTurn) {
  constexpr auto text =
      R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
                            {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"},
                            {"role": "user", "content": "e"}], "label": true})";
  expect_row(row_of(text, RowKind::sft), true,
             {{{"user", "a"}, {"assistant", "b"}, {"user", "c"}}, ""}, {says("d")});
  EXPECT_EQ(dropped(R"({"messages": [{"role": "user", "content": "a"}]})", RowKind::sft),
            "no assistant turn");
  EXPECT_EQ(dropped(R"({"messages": []})", RowKind::sft), "no assistant turn");
}

TEST(SftSchema, DroppedAndUnknown) {
  EXPECT_EQ(dropped(R"({"text": ""})", RowKind::sft), "empty response");
  EXPECT_THAT(error_of(R"({"prompt": "a"})", RowKind::sft),
              AllOf(HasSubstr("an SFT row"), HasSubstr("prompt, completion")));
}

TEST(LabelledSchema, ALabelBesideAResponse) {
  constexpr auto kind = RowKind::labelled;
  const Row good = row_of(R"({"prompt": "a", "completion": "b", "label": true})", kind);
  expect_row(good, false, plain("a"), {plain("b")});
  EXPECT_TRUE(good.desirable);
  EXPECT_FALSE(row_of(R"({"messages": [{"role": "user", "content": "a"},
                                       {"role": "assistant", "content": "b"}],
                          "kto_tag": false})",
                      kind)
                   .desirable);
  // A preference row is two examples, made later.
  expect_row(row_of(R"({"prompt": "a", "chosen": "b", "rejected": "c"})", kind), false, plain("a"),
             {plain("b"), plain("c")});
  EXPECT_THAT(error_of(R"({"prompt": "a", "completion": "b"})", kind),
              AllOf(HasSubstr("f:1"), HasSubstr("'label' is missing")));
  EXPECT_THAT(error_of(R"({"prompt": "a", "completion": "b", "label": "yes"})", kind),
              AllOf(HasSubstr("f:1"), HasSubstr("label")));
}

TEST(RankedSchema, TheBestFirst) {
  constexpr auto kind = RowKind::ranked;
  expect_row(row_of(R"({"prompt": "a", "responses": ["b", "c", "d"]})", kind), false, plain("a"),
             {plain("b"), plain("c"), plain("d")});
  expect_row(
      row_of(R"({"prompt": "a", "responses": ["b", "c", "d"], "scores": [1, 3.5, 2]})", kind),
      false, plain("a"), {plain("c"), plain("d"), plain("b")});
  expect_row(row_of(R"({"prompt": [{"role": "user", "content": "a"}],
                        "responses": ["b", {"role": "assistant", "content": "c"},
                                      [{"role": "assistant", "content": "d"}]]})",
                    kind),
             true, asked("a"), {says("b"), says("c"), says("d")});
  expect_row(row_of(R"({"prompt": "a", "chosen": "b", "rejected": "c"})", kind), false, plain("a"),
             {plain("b"), plain("c")});
}

TEST(RankedSchema, DroppedAndRefused) {
  constexpr auto kind = RowKind::ranked;
  EXPECT_EQ(dropped(R"({"prompt": "a", "responses": ["b"]})", kind), "fewer than two responses");
  EXPECT_EQ(dropped(R"({"prompt": "a", "responses": ["b", "c"], "scores": [1, 1]})", kind),
            "tied scores");
  EXPECT_EQ(dropped(R"({"prompt": "a", "responses": ["b", " "]})", kind), "empty response");
  EXPECT_THAT(error_of(R"({"prompt": "a", "responses": ["b", "c"], "scores": [1]})", kind),
              HasSubstr("a list of 2 numbers"));
  EXPECT_THAT(error_of(R"({"prompt": "a", "responses": ["b", 7]})", kind), HasSubstr("responses"));
  EXPECT_THAT(error_of(R"({"prompt": "a", "output": "b"})", kind), HasSubstr("a ranked row"));
}

}  // namespace
}  // namespace lmpo::schema_test
