#include "data/row_renderer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/test_paths.h"

namespace lmpo::row_renderer_test {
namespace {

using ::testing::HasSubstr;
using Texts = std::vector<std::string>;

const fs::path kRowTestdata = source_folder() / "src/data/testdata";

const Tokenizer& tokenizer() {
  static const Tokenizer mistral = Tokenizer::load(kRowTestdata / "mistral");  // <s> and </s>
  return mistral;
}

struct Outcome {
  Texts texts;  // prompt and responses, or the reason why there are none
  std::vector<std::string> notes;
  std::string example;  // of the first note
};

Outcome render(std::string_view chat_template, const ordered_json& source,
               Boundary boundary = Boundary::trl, RowKind kind = RowKind::preference) {
  const ChatTemplate parsed = ChatTemplate::parse(chat_template, "template");
  DataOptions options;
  options.boundary = boundary;
  const RowRenderer renderer(tokenizer(), &parsed, options);
  const auto row = normalise_row(source, kind, "f:1");
  if (const auto* reason = std::get_if<DropReason>(&row)) {
    return {{std::string(name(*reason))}, {}, {}};
  }
  const auto rendered = renderer.render(std::get<Row>(row));
  if (const auto* reason = std::get_if<DropReason>(&rendered)) {
    return {{std::string(name(*reason))}, {}, {}};
  }
  const auto& texts = std::get<RenderedRow>(rendered);
  Outcome outcome{{texts.prompt}, {}, {}};
  outcome.texts.insert(outcome.texts.end(), texts.responses.begin(), texts.responses.end());
  for (const NotedRow& note : texts.notes) {
    outcome.notes.emplace_back(describe(note.note).name);
    outcome.example = outcome.example.empty() ? note.example : outcome.example;
  }
  return outcome;
}

ordered_json row_of(std::string_view text) {
  return ordered_json::parse(text);
}

ordered_json pair(std::string_view prompt) {
  ordered_json row = {{"prompt", row_of(prompt)},
                      {"chosen", {{{"role", "assistant"}, {"content", "Hello"}}}},
                      {"rejected", {{{"role", "assistant"}, {"content", "No"}}}}};
  return row;
}

constexpr std::string_view kAsked = R"([{"role": "user", "content": "Hi"}])";
constexpr std::string_view kWithSystem =
    R"([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is 2+2?"}])";

constexpr std::string_view kChatml =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
// As Qwen2.5 and Llama-3.1: a conversation without a system turn begins with a default one.
const std::string kDefaultSystem =
    "{% if messages[0].role != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}" +
    std::string(kChatml);
// As Mistral v0.3: the system text stands in the last user turn, if that is the last of all.
constexpr std::string_view kLateSystem =
    "{% if messages[0].role == 'system' %}{% set system = messages[0].content %}"
    "{% set turns = messages[1:] %}{% else %}{% set turns = messages %}{% endif %}"
    "{% for m in turns %}{% if m.role == 'user' %}{% if loop.last and system is defined %}"
    "{{ '[INST]' + system + '\n\n' + m.content + '[/INST]' }}{% else %}"
    "{{ '[INST]' + m.content + '[/INST]' }}{% endif %}{% else %}{{ m.content + eos_token }}{% "
    "endif %}"
    "{% endfor %}";

TEST(RowRenderer, EqualsTransformersForTemplatesBuiltLikeThoseOfModels) {
  const auto golden = ordered_json::parse(read_file(kRowTestdata / "template_rows.json"));
  for (const ordered_json& model : golden["templates"]) {
    for (std::size_t i = 0; i < golden["rows"].size(); ++i) {
      ordered_json expected = model["texts"][i];
      if (expected.is_string()) {
        expected = ordered_json::array({expected});
      }
      Texts texts;
      try {
        texts = render(model["template"].get<std::string>(), golden["rows"][i]).texts;
      } catch (const UserError&) {
        texts = {"raises"};
      }
      EXPECT_EQ(texts, expected.get<Texts>()) << model["name"] << " row " << i;
    }
  }
}

TEST(RowRenderer, ADefaultSystemTurnIsNotScored) {
  const std::string system = "<|im_start|>system\nBe kind.<|im_end|>\n";
  const std::string user = "<|im_start|>user\nHi<|im_end|>\n";
  const std::string empty = "<|im_start|>system\n<|im_end|>\n";
  EXPECT_EQ(render(kDefaultSystem, pair(kAsked), Boundary::simpo).texts,
            (Texts{empty + user, "<|im_start|>assistant\nHello<|im_end|>\n",
                   "<|im_start|>assistant\nNo<|im_end|>\n"}));
  // What the published runs did, where it is asked for.
  EXPECT_EQ(render(kDefaultSystem, pair(kAsked), Boundary::simpo_published).texts,
            (Texts{empty + user, system + "<|im_start|>assistant\nHello<|im_end|>\n",
                   system + "<|im_start|>assistant\nNo<|im_end|>\n"}));
  EXPECT_EQ(render(kDefaultSystem, pair(kAsked)).texts[0],
            system + user + "<|im_start|>assistant\n");
}

TEST(RowRenderer, NoTurnIsInsertedThatTheTemplateRefuses) {
  const std::string refuses =
      "{% if messages[0].role == 'system' %}{{ raise_exception('no system turns') }}{% endif %}" +
      std::string(kChatml);
  EXPECT_EQ(render(refuses, pair(kAsked), Boundary::simpo).texts[0],
            "<|im_start|>user\nHi<|im_end|>\n");
}

TEST(RowRenderer, AQuestionIsNeverScoredWhereTheTemplateMovesTheSystemText) {
  ordered_json row = pair(kWithSystem);
  for (const Boundary boundary : {Boundary::trl, Boundary::simpo}) {
    const Outcome outcome = render(kLateSystem, row, boundary);
    EXPECT_EQ(outcome.texts,
              (Texts{"[INST]Be brief.\n\nWhat is 2+2?[/INST]", "Hello</s>", "No</s>"}));
    EXPECT_EQ(outcome.notes, (Texts{"prompt_apart"}));
  }
}

TEST(RowRenderer, ATemplateThatMixesPromptAndResponseIsNamed) {
  constexpr std::string_view kReversed =
      "{% for m in messages | reverse %}{{ m.content }};{% endfor %}";
  for (const Boundary boundary : {Boundary::trl, Boundary::simpo}) {
    EXPECT_EQ(render(kReversed, pair(kAsked), boundary).texts,
              (Texts{"chat template mixes prompt and response"}));
  }
}

TEST(RowRenderer, TurnsThatTheTemplateLeavesOutAreNoted) {
  const std::string without_system =
      "{% for m in messages %}{% if m.role != 'system' %}<|im_start|>{{ m.role }}\n{{ m.content }}"
      "<|im_end|>\n{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
      "{% endif %}";
  const Outcome outcome = render(without_system, pair(kWithSystem));
  EXPECT_EQ(outcome.notes, (Texts{"turn_left_out"}));
  EXPECT_EQ(outcome.example, "system: Be brief.");
  EXPECT_EQ(render("{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}"
                   "{% endfor %}",
                   pair(kAsked))
                .texts,
            (Texts{"chat template leaves out a response"}));
}

// Templates trim, write JSON, write the system text into a later turn: nothing is left out.
TEST(RowRenderer, WhatTemplatesMayDoIsNotNoted) {
  const ordered_json row = row_of(R"({
    "prompt": [{"role": "system", "content": " Be \"brief\".\n"},
               {"role": "user", "content": "One?\n\nAnd  more "},
               {"role": "assistant", "content": "<think>hm</think>\n\nYes"},
               {"role": "user", "content": "Two?"}],
    "chosen": [{"role": "assistant", "content": " Two.\n"}],
    "rejected": [{"role": "assistant", "content": "Three."}]})");
  for (const char* text :
       {"{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</s>{% endfor %}",
        "{% for m in messages %}<{{ m.role }}>{{ m.content | tojson }}</s>{% endfor %}",
        "{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}</s>{% endfor "
        "%}",
        "{% for m in messages %}<{{ m.role }}>{{ m.content.split() | join(' ') }}</s>{% endfor %}",
        "{% for m in messages[1:] %}<{{ m.role }}>{% if m.content == 'Two?' %}"
        "{{ messages[0].content }}{% endif %}{{ m.content }}</s>{% endfor %}"}) {
    const Outcome outcome = render(text, row);
    EXPECT_EQ(outcome.texts.size(), 3u) << text << ": " << outcome.texts[0];
    EXPECT_EQ(outcome.notes, Texts()) << text << ": " << outcome.example;
  }
}

TEST(RowRenderer, CallsReachTheTemplate) {
  const std::string calls =
      "{% for t in tools or [] %}{{ t | tojson }}{% endfor %}{% for m in messages %}"
      "<|im_start|>{{ m.role }}\n{{ m.content or '' }}{% if m.tool_calls %}"
      "{{ m.tool_calls | tojson }}{% endif %}{% if m.name %}{{ m.name + m.tool_call_id }}{% endif "
      "%}"
      "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
  constexpr std::string_view kCall =
      R"([{"id": "x1", "function": {"name": "weather", "arguments": {"unit": "C", "city": "Rome"}}}])";
  ordered_json row = pair(kAsked);
  row["prompt"].push_back(
      {{"role", "assistant"}, {"content", nullptr}, {"tool_calls", row_of(kCall)}});
  row["prompt"].push_back(
      {{"role", "tool"}, {"name", "weather"}, {"tool_call_id", "x1"}, {"content", "21 C"}});
  const std::string call_text =
      R"([{"id": "x1", "function": {"name": "weather", "arguments": {"unit": "C", "city": "Rome"}}}])";
  EXPECT_THAT(render(calls, row).texts[0], HasSubstr("assistant\n" + call_text + "<|im_end|>"));
  EXPECT_THAT(render(calls, row).texts[0], HasSubstr("tool\n21 Cweatherx1<|im_end|>"));
  EXPECT_EQ(render(calls, row).notes, Texts());
  EXPECT_EQ(render("{% for m in messages %}{{ m.content or '' }};{% endfor %}", row).notes,
            (Texts{"turn_left_out"}));

  // The answer itself may be a call, and two calls differ.
  ordered_json answer = pair(kAsked);
  answer["chosen"] = {{{"role", "assistant"}, {"content", ""}, {"tool_calls", row_of(kCall)}}};
  answer["rejected"] = answer["chosen"];
  answer["rejected"][0]["tool_calls"][0]["function"]["arguments"]["city"] = "Oslo";
  answer["tools"] = R"([{"type": "function", "function": {"name": "weather"}}])";
  const Outcome outcome = render(calls, answer);
  EXPECT_EQ(outcome.texts[1], call_text + "<|im_end|>\n");
  EXPECT_THAT(outcome.texts[2], HasSubstr("Oslo"));
  EXPECT_THAT(
      outcome.texts[0],
      ::testing::StartsWith(R"({"type": "function", "function": {"name": "weather"}}<|im)"));
  EXPECT_EQ(render(kChatml, answer).texts, (Texts{"chat template leaves out a response"}));
  // A template that writes the name alone makes one text of both.
  EXPECT_EQ(render("{% for m in messages %}{{ m.content }}{% for c in m.tool_calls or [] %}"
                   "{{ c.function.name }}{% endfor %};{% endfor %}",
                   answer)
                .texts,
            (Texts{"identical responses"}));
  answer["chosen"] = {{{"role", "assistant"}, {"content", "Hello"}}};
  answer["rejected"] = {{{"role", "assistant"}, {"content", "No"}}};
  EXPECT_EQ(render(kChatml, answer).notes, (Texts{"tools_left_out"}));
}

TEST(RowRenderer, ReasoningAndOtherSpeakersOfAResponseAreNoted) {
  ordered_json row = pair(kAsked);
  row["chosen"][0]["reasoning_content"] = "well, let me see";
  EXPECT_EQ(render(kChatml, row).notes, (Texts{"reasoning_left_out"}));
  EXPECT_EQ(
      render("{% for m in messages %}{{ m.reasoning_content }}{{ m.content }};{% endfor %}", row)
          .notes,
      Texts());
  row = pair(kAsked);
  row["chosen"] = row_of(R"([{"role": "tool", "content": "21 C"},
                             {"role": "assistant", "content": "Hello"}])");
  const Outcome outcome = render(kChatml, row);
  EXPECT_EQ(outcome.notes, (Texts{"speaker_scored"}));
  EXPECT_EQ(outcome.example, "tool: 21 C");
}

TEST(RowRenderer, AnOpenAnswerIsContinued) {
  ordered_json row = pair(
      R"([{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "The answer is "}])");
  for (const Boundary boundary : {Boundary::trl, Boundary::simpo}) {
    const Outcome outcome = render(kChatml, row, boundary);
    EXPECT_THAT(outcome.texts[0], ::testing::EndsWith("<|im_start|>user\n2+2?<|im_end|>\n"
                                                      "<|im_start|>assistant\nThe answer is "));
    EXPECT_EQ(outcome.texts[1], "Hello<|im_end|>\n");
    EXPECT_EQ(outcome.notes, Texts());
  }
}

TEST(RowRenderer, MessagesOfAWholeConversationAreTurnsOfTheirOwn) {
  const ordered_json row = row_of(
      R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "One."},
                       {"role": "assistant", "content": "Two."}]})");
  for (const Boundary boundary : {Boundary::trl, Boundary::simpo}) {
    const Outcome outcome = render(kChatml, row, boundary, RowKind::sft);
    EXPECT_THAT(outcome.texts[0], HasSubstr("<|im_start|>assistant\nOne.<|im_end|>\n"));
    EXPECT_THAT(outcome.texts[1], ::testing::EndsWith("Two.<|im_end|>\n"));
  }
}

}  // namespace
}  // namespace lmpo::row_renderer_test
