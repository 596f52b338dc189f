// Which text of a conversation is scored where every turn of the assistant is: for templates built
// like those of models. tools/oracle/assistant_masks.py compares whole templates with transformers.
#include "data/assistant_turns.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/testing/test_paths.h"
#include "data/boundary.h"

namespace lmpo::assistant_turns_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::string_view kTurns =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
// As Phi-3: EOS ends the whole text, unless an answer is to follow.
constexpr std::string_view kEndsWhole =
    "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}";
// As Qwen3: only the answer after the last question has a thought, and that one has always one.
constexpr std::string_view kThinks =
    "{% set ns = namespace(last=0) %}{% for m in messages %}{% if m.role == 'user' %}"
    "{% set ns.last = loop.index0 %}{% endif %}{% endfor %}"
    "{% for m in messages %}{% set text = m.content if m.content is string else '' %}"
    "{% set thought = m.reasoning_content if m.reasoning_content is string else '' %}"
    "{% if m.role == 'assistant' and '</think>' in text %}"
    "{% set thought = text.split('</think>')[0].split('<think>')[-1].strip('\n') %}"
    "{% set text = text.split('</think>')[-1].lstrip('\n') %}{% endif %}"
    "<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' and loop.index0 > ns.last and (loop.last or thought) %}"
    "<think>\n{{ thought }}\n</think>\n\n{% endif %}{{ text }}"
    "{% for call in m.tool_calls %}{{ '\n' if text or not loop.first else '' }}"
    "<tool_call>{{ call.function.name }}</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% endif %}{% endif %}";
// As Mistral v0.3: the system text stands in the last user turn.
constexpr std::string_view kMovesSystem =
    "{% if messages[0].role == 'system' %}{% set system = messages[0].content + '\n\n' %}"
    "{% set turns = messages[1:] %}{% else %}{% set system = '' %}{% set turns = messages %}"
    "{% endif %}{% set last = (turns|selectattr('role', 'equalto', 'user')|list)[-1] %}"
    "{{ bos_token }}{% for m in turns %}{% if m.role == 'user' %}"
    "{{ '[INST] ' + (system if m == last else '') + m.content + '[/INST]' }}"
    "{% else %}{{ ' ' + m.content|trim + eos_token }}{% endif %}{% endfor %}";

struct Scored {
  std::vector<std::string> texts;
  std::vector<std::string> notes;
};

const Tokenizer& mistral() {
  static const Tokenizer tokenizer =
      Tokenizer::load(source_folder() / "src/data/testdata/mistral");  // <s> and </s>
  return tokenizer;
}

// The scored texts of an SFT row.
Scored scored(std::string_view chat_template, const ordered_json& row, DataOptions options = {}) {
  const ChatTemplate parsed = ChatTemplate::parse(chat_template, "template");
  options.kind = RowKind::sft;
  options.sft_target =
      options.sft_target == SftTarget::response ? SftTarget::assistant : options.sft_target;
  const RowRenderer renderer(mistral(), &parsed, options);
  const auto outcome = renderer.render(std::get<Row>(normalise_row(row, RowKind::sft, "f:1")));
  if (const auto* reason = std::get_if<DropReason>(&outcome)) {
    return {{std::string(name(*reason))}, {}};
  }
  const auto& rendered = std::get<RenderedRow>(outcome);
  const std::string text = rendered.prompt + rendered.responses[0];
  Scored result;
  for (const jinja::Span& span : rendered.scored) {
    result.texts.push_back(text.substr(span.begin, span.end - span.begin));
  }
  if (rendered.scored.empty()) {
    result.texts = {rendered.responses[0]};
  }
  for (const NotedRow& note : rendered.notes) {
    result.notes.emplace_back(describe(note.note).name);
  }
  return result;
}

ordered_json chat(std::vector<std::pair<std::string, std::string>> turns) {
  ordered_json messages = ordered_json::array();
  for (const auto& [role, content] : turns) {
    messages.push_back({{"role", role}, {"content", content}});
  }
  return {{"messages", messages}};
}

const ordered_json kTwo =
    chat({{"user", "One?"}, {"assistant", "Yes."}, {"user", "Two?"}, {"assistant", " No."}});

TEST(AssistantTurns, BeginAfterTheHeaderAndEndWithTheirEnd) {
  EXPECT_THAT(scored(kTurns, kTwo).texts, ElementsAre("Yes.<|im_end|>\n", " No.<|im_end|>\n"));
  // All turns of the assistant, also two in a row.
  const auto three = scored(kTurns, chat({{"user", "a"},
                                          {"assistant", "b"},
                                          {"assistant", "c"},
                                          {"tool", "d"},
                                          {"assistant", "e"}}));
  EXPECT_THAT(three.texts, ElementsAre("b<|im_end|>\n", "c<|im_end|>\n", "e<|im_end|>\n"));
  EXPECT_TRUE(three.notes.empty());
}

TEST(AssistantTurns, OfOneTurnAreTheResponse) {
  EXPECT_THAT(scored(kTurns, chat({{"user", "a"}, {"assistant", "b"}})).texts,
              ElementsAre("b<|im_end|>\n"));
  EXPECT_THAT(scored(kTurns, {{"text", "plain"}}).texts, ElementsAre("plain</s>"));
}

TEST(AssistantTurns, WhatEndsOnlyTheWholeTextIsNoPartOfATurn) {
  const Scored turns = scored(kEndsWhole, kTwo);
  EXPECT_THAT(turns.texts, ElementsAre("Yes.<|end|>\n", " No.<|end|>\n</s>"));
  EXPECT_TRUE(turns.notes.empty());
}

TEST(AssistantTurns, AnEmptyThoughtIsNotScored) {
  const Scored turns = scored(kThinks, kTwo);
  EXPECT_THAT(turns.texts, ElementsAre("Yes.<|im_end|>\n", " No.<|im_end|>\n"));
  EXPECT_THAT(turns.notes, ElementsAre("thought_added"));
  // The generation prompt writes it for the last turn, and not for the first, which has none.
  DataOptions quiet;
  quiet.chat_template_kwargs = {{"enable_thinking", false}};
  EXPECT_THAT(scored(kThinks, kTwo, quiet).texts,
              ElementsAre("Yes.<|im_end|>\n", " No.<|im_end|>\n"));
  EXPECT_TRUE(scored(kThinks, kTwo, quiet).notes.empty());
}

TEST(AssistantTurns, AnEmptyThoughtOfEarlierTurnsIsScoredWhereTheDataHasIt) {
  const std::string adds =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}"
      "<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
  EXPECT_THAT(scored(adds, kTwo).texts, ElementsAre("Yes.<|im_end|>\n", " No.<|im_end|>\n"));
  const ordered_json thinks = chat({{"user", "One?"},
                                    {"assistant", "<think>\n\n</think>\n\nYes."},
                                    {"user", "Two?"},
                                    {"assistant", "No."}});
  EXPECT_THAT(scored(kTurns, thinks).texts,
              ElementsAre("<think>\n\n</think>\n\nYes.<|im_end|>\n", "No.<|im_end|>\n"));
}

TEST(AssistantTurns, AThoughtOfTheDataIsScored) {
  const ordered_json row = chat({{"user", "a"}, {"assistant", "<think>\nhm\n</think>\n\nb"}});
  EXPECT_THAT(scored(kThinks, row).texts, ElementsAre("<think>\nhm\n</think>\n\nb<|im_end|>\n"));
  const ordered_json empty = chat({{"user", "a"}, {"assistant", "<think>\n\n</think>\n\nb"}});
  EXPECT_THAT(scored(kThinks, empty).texts, ElementsAre("<think>\n\n</think>\n\nb<|im_end|>\n"));
}

TEST(AssistantTurns, WhatTheTemplateLeavesOutOfEarlierTurnsIsSaid) {
  const Scored turns = scored(kThinks, chat({{"user", "a"},
                                             {"assistant", "<think>\nhm\n</think>\n\nb"},
                                             {"user", "c"},
                                             {"assistant", "<think>\nso\n</think>\n\nd"}}));
  EXPECT_THAT(turns.texts, ElementsAre("b<|im_end|>\n", "<think>\nso\n</think>\n\nd<|im_end|>\n"));
  EXPECT_THAT(turns.notes, ElementsAre("reasoning_left_out"));
}

TEST(AssistantTurns, CallsAreScoredAndResultsAreNot) {
  ordered_json row = chat({{"user", "a"}, {"assistant", ""}, {"tool", "21"}, {"assistant", "b"}});
  row["messages"][1]["tool_calls"] = {{{"function", {{"name", "weather"}}}}};
  const Scored turns = scored(kThinks, row);
  EXPECT_THAT(turns.texts,
              ElementsAre("<tool_call>weather</tool_call><|im_end|>\n", "b<|im_end|>\n"));
  EXPECT_THAT(turns.notes, ElementsAre("thought_added"));
}

// Its end is found by its text, and here calls follow the text.
TEST(AssistantTurns, ATurnWithCallsIsLeftOutAndSaidWhereTheTemplateHidesItsEnd) {
  const std::string ends_whole =
      "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{% for call in m.tool_calls %}"
      "<call>{{ call.function.name }}</call>{% endfor %}<|end|>\n{% endfor %}"
      "{% if add_generation_prompt %}<|assistant|>\n{% else %}{{ eos_token }}{% endif %}";
  ordered_json row =
      chat({{"user", "a"}, {"assistant", "Let me see."}, {"tool", "21"}, {"assistant", "b"}});
  row["messages"][1]["tool_calls"] = {{{"function", {{"name", "weather"}}}}};
  const Scored turns = scored(ends_whole, row);
  EXPECT_THAT(turns.texts, ElementsAre("b<|end|>\n</s>"));
  EXPECT_THAT(turns.notes, ElementsAre("turn_not_scored"));
}

TEST(AssistantTurns, ASystemTextThatMovesIsNotScored) {
  const Scored turns = scored(kMovesSystem, chat({{"system", "Be brief."},
                                                  {"user", "One?"},
                                                  {"assistant", "Yes."},
                                                  {"user", "Two?"},
                                                  {"assistant", "No."}}));
  EXPECT_THAT(turns.texts, ElementsAre(" Yes.</s>", " No.</s>"));
}

TEST(AssistantTurns, ATurnWithoutAClearPlaceIsLeftOutAndSaid) {
  // Nothing says how the first turn begins.
  const Scored first =
      scored(kTurns, chat({{"assistant", "Hi!"}, {"user", "a"}, {"assistant", "b"}}));
  EXPECT_THAT(first.texts, ElementsAre("b<|im_end|>\n"));
  EXPECT_THAT(first.notes, ElementsAre("turn_not_scored"));
  // A template that counts the turns.
  const std::string counts = "{{ messages|length }}" + std::string(kTurns);
  const Scored counted = scored(counts, kTwo);
  EXPECT_THAT(counted.texts, ElementsAre("Yes.<|im_end|>\n", " No.<|im_end|>\n"));
  // One that changes them.
  const std::string shouts =
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content if loop.last else "
      "m.content|reverse }}<|im_end|>\n{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
  const Scored changed = scored(
      shouts, chat({{"user", "a"}, {"assistant", "bcd"}, {"user", "e"}, {"assistant", "f"}}));
  EXPECT_THAT(changed.texts, ElementsAre("f<|im_end|>\n"));
  EXPECT_THAT(changed.notes, ::testing::Contains("turn_not_scored"));
}

constexpr std::string_view kMarks =
    "{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' %}{% generation %}"
    "{{ m.content }}<|end|>{% endgeneration %}{% else %}{{ m.content }}<|end|>{% endif %}\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

TEST(AssistantTurns, MarksOfTheTemplateDecide) {
  for (const SftTarget target : {SftTarget::assistant, SftTarget::marked}) {
    DataOptions options;
    options.sft_target = target;
    EXPECT_THAT(scored(kMarks, kTwo, options).texts, ElementsAre("Yes.<|end|>", " No.<|end|>"));
  }
}

TEST(AssistantTurns, ARowOfWhichTheTemplateMarksNothingIsDropped) {
  DataOptions options;
  options.sft_target = SftTarget::marked;
  std::string marks_others(kMarks);
  marks_others.replace(marks_others.find("'assistant'"), 11, "'narrator'");
  const ordered_json row = chat({{"user", "a"}, {"assistant", "b"}});
  EXPECT_THAT(scored(marks_others, row, options).texts,
              ElementsAre(std::string(name(DropReason::response_left_out))));
}

TEST(AssistantTurns, WhatCannotBeScoredIsRefused) {
  const auto refusal = [](std::string_view text, SftTarget target, Boundary boundary) {
    DataOptions options;
    options.sft_target = target;
    options.boundary = boundary;
    try {
      scored(text, kTwo, options);
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(kTurns, SftTarget::marked, Boundary::trl), HasSubstr("{% generation %}"));
  EXPECT_THAT(refusal(kTurns, SftTarget::assistant, Boundary::simpo), HasSubstr("boundary trl"));
  EXPECT_EQ(refusal(kMarks, SftTarget::marked, Boundary::trl), "");
}

TEST(AssistantTurns, AThoughtEndsWithItsLineEnds) {
  EXPECT_EQ(empty_thought("<think>\n\n</think>\n\nHi"), 19u);
  EXPECT_EQ(empty_thought("<think></think>Hi"), 15u);
  EXPECT_EQ(empty_thought("<think>\n</think>\n\n\nHi"), 18u);
  EXPECT_EQ(empty_thought("<think>\nhm\n</think>\n\nHi"), 0u);
  EXPECT_EQ(empty_thought("<think>\n"), 0u);
  EXPECT_EQ(empty_thought("Hi <think></think>"), 0u);
}

// From spans of bytes to runs of tokens.
TEST(AssistantTurns, ScoredTokensAreThoseOfTheTurns) {
  const fs::path folder = source_folder() / "src/data/testdata/llama3";
  const Tokenizer tokenizer = Tokenizer::load(folder);
  const ChatTemplate llama = ChatTemplate::load(folder).value();
  DataOptions options;
  options.kind = RowKind::sft;
  options.sft_target = SftTarget::assistant;
  const RowTokenizer rows(tokenizer, &llama, options);
  const auto row = normalise_row(kTwo, RowKind::sft, "f:1");
  const auto tokenized = std::get<TokenizedRow>(rows.tokenize(std::get<Row>(row), "f:1"));
  const Sequence& sequence = tokenized.sequences.at(0);
  ASSERT_TRUE(sequence.is_valid());
  std::vector<std::string> texts;
  for (const TokenRun& run : sequence.scored_runs()) {
    const auto size = static_cast<std::size_t>(run.size());
    texts.push_back(tokenizer.decode({sequence.tokens.data() + run.begin, size}, false));
  }
  EXPECT_THAT(texts, ElementsAre("Yes.<|eot_id|>", "No.<|eot_id|>"));
}

}  // namespace
}  // namespace lmpo::assistant_turns_test
