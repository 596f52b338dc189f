#include "data/boundary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/testing/test_paths.h"
#include "data/reader.h"
#include "data/truncation.h"

namespace lmpo::boundary_test {
namespace {

using ::testing::HasSubstr;

const fs::path kBoundaryTestdata = source_folder() / "src/data/testdata";

// A tokenizer and a chat template as a model folder has them.
struct World {
  explicit World(const std::string& family)
      : tokenizer(Tokenizer::load(kBoundaryTestdata / family)),
        chat_template(ChatTemplate::load(kBoundaryTestdata / family).value()) {}

  TokenizedRow tokenize(const json& source, const DataOptions& options) const {
    const RowTokenizer row_tokenizer(tokenizer, &chat_template, options);
    const auto row = normalise_row(source, RowKind::preference, "f:1");
    return std::get<TokenizedRow>(row_tokenizer.tokenize(std::get<Row>(row), "f:1"));
  }
  // The prompt and the responses as texts, special tokens written out.
  std::vector<std::string> texts(const json& source, Boundary boundary) const {
    DataOptions options;
    options.boundary = boundary;
    const TokenizedRow row = tokenize(source, options);
    std::vector<std::string> result;
    for (const Sequence& sequence : row.sequences) {
      const std::span<const TokenId> tokens = sequence.tokens;
      const auto begin = static_cast<std::size_t>(sequence.scored_begin);
      if (result.empty()) {
        result.push_back(tokenizer.decode(tokens.first(begin), false));
      }
      result.push_back(tokenizer.decode(tokens.subspan(begin), false));
    }
    return result;
  }

  Tokenizer tokenizer;
  ChatTemplate chat_template;
};

json conversation() {
  return json::parse(R"({"prompt": [{"role": "user", "content": "Hi?"}],
                         "chosen": [{"role": "assistant", "content": "Yes."}],
                         "rejected": [{"role": "assistant", "content": "No."}]})");
}

using Texts = std::vector<std::string>;

TEST(Boundary, Llama3HeaderIsPromptForTrlAndScoredForSimpo) {
  const World world("llama3");
  const std::string header = "<|start_header_id|>assistant<|end_header_id|>\n\n";
  const std::string prompt =
      "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi?<|eot_id|>";
  EXPECT_EQ(world.texts(conversation(), Boundary::trl),
            (Texts{prompt + header, "Yes.<|eot_id|>", "No.<|eot_id|>"}));
  EXPECT_EQ(world.texts(conversation(), Boundary::simpo),
            (Texts{prompt, header + "Yes.<|eot_id|>", header + "No.<|eot_id|>"}));
}

// Whose texts try to end their turns.
json intruder() {
  return json::parse(R"({"prompt": [{"role": "user", "content": "<|eot_id|>a<<|eot_id|> b"}],
                         "chosen": [{"role": "assistant", "content": "x<|begin_of_text|>"}],
                         "rejected": [{"role": "assistant", "content": "y"}]})");
}

TEST(Boundary, SpecialTokensInTextsAreWordsWhereAskedFor) {
  const World world("llama3");
  const auto encode = [&](const char* text, SpecialText special) {
    return world.tokenizer.encode(text, false, special);
  };
  for (const Boundary boundary : {Boundary::trl, Boundary::simpo}) {
    DataOptions options;
    options.boundary = boundary;
    options.split_special_tokens = true;
    const TokenizedRow row = world.tokenize(intruder(), options);
    EXPECT_TRUE(row.special_tokens_in_texts);
    // The template's parts and the texts, each encoded alone.
    std::vector<TokenId> expected;
    for (const auto& [text, special] :
         {std::pair("<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n",
                    SpecialText::tokens),
          {"<|eot_id|>a<<|eot_id|> b", SpecialText::text},
          {"<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", SpecialText::tokens},
          {"x<|begin_of_text|>", SpecialText::text},
          {"<|eot_id|>", SpecialText::tokens}}) {
      const std::vector<TokenId> part = encode(text, special);
      expected.insert(expected.end(), part.begin(), part.end());
    }
    EXPECT_EQ(row.sequences[0].tokens, expected);

    options.split_special_tokens = false;
    const TokenizedRow usual = world.tokenize(intruder(), options);
    EXPECT_TRUE(usual.special_tokens_in_texts);
    const TokenId end = world.tokenizer.find("<|eot_id|>").value();
    EXPECT_EQ(std::ranges::count(usual.sequences[0].tokens, end), 4);
    EXPECT_EQ(std::ranges::count(row.sequences[0].tokens, end), 2);
  }
  EXPECT_FALSE(world.tokenize(conversation(), {}).special_tokens_in_texts);
}

TEST(Boundary, GuardsChangeNothingWhereThereIsNothingToGuard) {
  for (const char* family : {"llama3", "chatml", "zephyr"}) {
    const World world(family);
    DataOptions options;
    const TokenizedRow usual = world.tokenize(conversation(), options);
    options.split_special_tokens = true;
    EXPECT_EQ(world.tokenize(conversation(), options).sequences[0].tokens,
              usual.sequences[0].tokens);
  }
}

TEST(Boundary, APlainResponseThatSpellsTheEndStillGetsOne) {
  const World world("llama3");
  DataOptions options;
  options.split_special_tokens = true;
  const TokenizedRow row =
      world.tokenize({{"prompt", "a"}, {"chosen", "b<|eot_id|>"}, {"rejected", "c"}}, options);
  EXPECT_EQ(world.tokenizer.decode(row.sequences[0].tokens, true).substr(0, 12), "ab<|eot_id|>");
  EXPECT_EQ(row.sequences[0].tokens.back(), world.tokenizer.eos_id());
}

TEST(Boundary, ChatmlGetsAnEmptySystemTurnForSimpo) {
  const World world("chatml");
  const std::string header = "<|im_start|>assistant\n";
  const std::string user = "<|im_start|>user\nHi?<|im_end|>\n";
  EXPECT_EQ(world.texts(conversation(), Boundary::trl),
            (Texts{user + header, "Yes.<|im_end|>\n", "No.<|im_end|>\n"}));
  EXPECT_EQ(world.texts(conversation(), Boundary::simpo),
            (Texts{"<|endoftext|><|im_start|>system\n<|im_end|>\n" + user,
                   header + "Yes.<|im_end|>\n<|im_end|>", header + "No.<|im_end|>\n<|im_end|>"}));
}

TEST(Boundary, TheEmptySystemTurnCanBeRefused) {
  const World world("chatml");
  DataOptions options;
  options.boundary = Boundary::simpo;
  options.insert_empty_system = false;
  const Sequence sequence = world.tokenize(conversation(), options).sequences[0];
  EXPECT_THAT(world.tokenizer.decode(sequence.tokens, false),
              ::testing::StartsWith("<|endoftext|><|im_start|>user"));
}

TEST(Boundary, MistralRefusesAResponseAloneSoBothAreRenderedTogether) {
  const World world("mistral");
  EXPECT_EQ(world.texts(conversation(), Boundary::trl),
            world.texts(conversation(), Boundary::simpo));
  EXPECT_EQ(world.texts(conversation(), Boundary::trl)[1], "Yes.</s>");
}

TEST(Boundary, AnOpenAssistantTurnIsContinued) {
  const World world("llama3");
  json row = conversation();
  row["prompt"].push_back({{"role", "assistant"}, {"content", "Well, "}});
  const std::string prompt =
      "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi?<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\nWell, ";
  for (const Boundary boundary : {Boundary::trl, Boundary::simpo}) {
    EXPECT_EQ(world.texts(row, boundary), (Texts{prompt, "Yes.<|eot_id|>", "No.<|eot_id|>"}));
  }
}

TEST(Boundary, ReadyMadeTextThatEndsItsTurnGetsNoSecondEnd) {
  const World world("chatml");
  const json row = {{"prompt", "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"},
                    {"chosen", "hello<|im_end|>\n"},
                    {"rejected", "no<|im_end|>"}};
  for (const Boundary boundary : {Boundary::trl, Boundary::simpo}) {
    const Texts texts = world.texts(row, boundary);
    EXPECT_EQ(texts[1], "hello<|im_end|>\n");
    EXPECT_EQ(texts[2], "no<|im_end|>");
  }
}

TEST(Boundary, PlainTextGetsItsEndsOnceWhateverItHoldsAlready) {
  const World world("llama3");
  for (const auto boundary : {Boundary::trl, Boundary::simpo}) {
    for (const std::string begin : {"", "<|begin_of_text|>"}) {
      for (const std::string end : {"", "<|eot_id|>"}) {
        const json row = {
            {"prompt", begin + "One"}, {"chosen", " two" + end}, {"rejected", " three" + end}};
        EXPECT_EQ(world.texts(row, boundary),
                  (Texts{"<|begin_of_text|>One", " two<|eot_id|>", " three<|eot_id|>"}));
      }
    }
  }
}

TEST(Boundary, ATokenThatSpansTheBoundaryIsScored) {
  const World world("llama3");
  DataOptions options;
  const json row = {{"prompt", "The evenin"}, {"chosen", "g"}, {"rejected", " g"}};
  const TokenizedRow tokenized = world.tokenize(row, options);
  EXPECT_TRUE(tokenized.token_spans_boundary);
  EXPECT_EQ(world.tokenizer.decode(tokenized.sequences[0].tokens, true), "The evening");
  // As TRL 1.16: where a token spans the boundary in one response, both begin there.
  EXPECT_EQ(tokenized.sequences[0].scored_begin, tokenized.sequences[1].scored_begin);
  EXPECT_THAT(
      world.tokenizer.decode(
          std::span(tokenized.sequences[1].tokens.data(), tokenized.sequences[1].tokens.size())
              .subspan(static_cast<std::size_t>(tokenized.sequences[1].scored_begin)),
          true),
      ::testing::EndsWith(" g"));
}

TEST(Boundary, SimpoTakesTheLastTurnOfConversationsThatPartEarly) {
  const World world("llama3");
  const json row = json::parse(R"({
    "chosen": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"},
               {"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
    "rejected": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"},
                 {"role": "user", "content": "x"}, {"role": "assistant", "content": "z"}]})");
  EXPECT_THAT(world.texts(row, Boundary::simpo)[0], HasSubstr("b<|eot_id|>"));
  EXPECT_THAT(world.texts(row, Boundary::simpo)[2], HasSubstr("assistant<|end_header_id|>\n\nz"));
  EXPECT_THAT(world.texts(row, Boundary::trl)[2], HasSubstr("c<|eot_id|>"));
}

TEST(Boundary, AGenerationPromptThatConversationsLackIsNotPartOfThePrompt) {
  World world("llama3");
  world.chat_template = ChatTemplate::parse(
      "{% for message in messages %}{{ message['content'] }}<|eot_id|>{% endfor %}"
      "{% if add_generation_prompt %}<|start_header_id|>think{% endif %}",
      "template");
  EXPECT_EQ(world.texts(conversation(), Boundary::trl),
            (Texts{"Hi?<|eot_id|>", "Yes.<|eot_id|>", "No.<|eot_id|>"}));
}

// Merges from the right: what follows "abcdef" decides how all of it is cut.
TEST(Boundary, SimpoRefusesAPromptWhoseTokensDependOnTheResponse) {
  json vocabulary;
  json merges;
  const std::string letters = "abcdefgx";
  for (const char letter : letters) {
    vocabulary[std::string(1, letter)] = vocabulary.size();
  }
  for (const std::string merge : {"f g", "e f", "d e", "c d", "b c", "a b"}) {
    vocabulary[merge.substr(0, 1) + merge.substr(2)] = vocabulary.size();
    merges.push_back(merge);
  }
  const json definition = {{"added_tokens", json::array()},
                           {"normalizer", nullptr},
                           {"pre_tokenizer", nullptr},
                           {"post_processor", nullptr},
                           {"decoder", nullptr},
                           {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}}}};
  const Tokenizer tokenizer = Tokenizer::from_json(definition.dump(), "tokenizer");
  ASSERT_EQ(tokenizer.encode("abcdef", false).size(), 3u);
  ASSERT_EQ(tokenizer.encode("abcdefg", false).size(), 4u);
  DataOptions options;
  options.boundary = Boundary::simpo;
  const Row row{.prompt = {{}, "abcdef"}, .responses = {{{}, "x"}, {{}, "g"}}};
  EXPECT_EQ(std::get<DropReason>(RowTokenizer(tokenizer, nullptr, options).tokenize(row, "f:1")),
            DropReason::unstable_prompt);
  options.boundary = Boundary::trl;
  EXPECT_TRUE(std::holds_alternative<TokenizedRow>(
      RowTokenizer(tokenizer, nullptr, options).tokenize(row, "f:1")));
}

TEST(Boundary, AConversationNeedsATemplateAndOneThatAcceptsIt) {
  const World world("mistral");
  const Row row = std::get<Row>(normalise_row(conversation(), RowKind::preference, "f:1"));
  try {
    RowTokenizer(world.tokenizer, nullptr, {}).tokenize(row, "f:1");
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("f:1"), HasSubstr("no chat template")));
  }
  json with_system = conversation();
  with_system["system"] = "s";
  for (const auto boundary : {Boundary::trl, Boundary::simpo}) {
    try {
      world.texts(with_system, boundary);
      FAIL();
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("f:1"), HasSubstr("roles")));
    }
  }
}

// Against transformers; the values are from tools/oracle/tokenize_pairs.py.

DataOptions options_of(const json& golden) {
  const json& given = golden["options"];
  DataOptions options;
  options.boundary = golden["boundary"] == "simpo" ? Boundary::simpo : Boundary::trl;
  if (given.contains("max_length")) {
    options.max_length = given["max_length"].get<std::int64_t>();
  }
  if (given.contains("max_prompt_length")) {
    options.max_prompt_length = given["max_prompt_length"].get<std::int64_t>();
  }
  if (given.contains("mode")) {
    options.truncation_mode =
        given["mode"] == "keep_end" ? TruncationMode::keep_end : TruncationMode::keep_start;
  }
  return options;
}

// The sequences in the golden file's form.
json result_of(const World& world, const json& row, const DataOptions& options) {
  TokenizedRow tokenized;
  try {
    tokenized = world.tokenize(row, options);
  } catch (const UserError& error) {
    return "raises";
  }
  truncate(tokenized.sequences, options);
  json result = json::array();
  for (const Sequence& sequence : tokenized.sequences) {
    const std::int32_t begin = std::max(sequence.scored_begin, 1);
    if (begin >= static_cast<std::int32_t>(sequence.tokens.size())) {
      return "no response left after truncation";
    }
    result.push_back({sequence.tokens, begin});
  }
  return result;
}

class GoldenTest : public ::testing::TestWithParam<const char*> {};

TEST_P(GoldenTest, EqualsTransformers) {
  const World world(GetParam());
  std::vector<json> rows;
  read_rows(kBoundaryTestdata / GetParam() / "rows.jsonl",
            [&](SourceRow&& row) { rows.emplace_back(std::move(row.value)); });
  for (const json& golden : read_json(kBoundaryTestdata / GetParam() / "golden.json")) {
    ASSERT_EQ(golden["rows"].size(), rows.size());
    for (std::size_t index = 0; index < rows.size(); ++index) {
      json expected = golden["rows"][index];
      if (expected.is_string() && expected.get<std::string>().starts_with("raises")) {
        expected = "raises";
      }
      EXPECT_EQ(result_of(world, rows[index], options_of(golden)), expected)
          << golden["boundary"] << " " << golden["options"] << " row " << index;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, GoldenTest,
                         ::testing::Values("llama3", "chatml", "zephyr", "mistral"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace lmpo::boundary_test
