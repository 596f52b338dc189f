#include "evaluate/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"

namespace lmpo::encoder_test {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;

// Its tokenizer puts <s> before every text.
class Encoders : public ::testing::Test {
 protected:
  Ids tokens_of(const Sequence& sequence) const {
    return {sequence.tokens.begin(), sequence.tokens.end()};
  }
  const Tokenizer tokenizer_ = Tokenizer::load(source_folder() / "src/data/testdata/llama3");
};

TEST_F(Encoders, AChoiceIsWhatTheWholeHasMoreThanItsContext) {
  Encoder encoder(tokenizer_, 100, Harness::current);
  const Sequence sequence = encoder.choice("one two", " three", "row");
  EXPECT_EQ(tokens_of(sequence), tokenizer_.encode("one two three", true));
  EXPECT_EQ(sequence.scored_begin, std::ssize(tokenizer_.encode("one two", true)));
  // White space moves over.
  const Sequence moved = encoder.choice("one two \n", "three", "row");
  EXPECT_EQ(tokens_of(moved), tokenizer_.encode("one two \nthree", true));
  EXPECT_EQ(moved.scored_begin, sequence.scored_begin);
  EXPECT_EQ(encoder.truncated(), 0);
}

TEST_F(Encoders, ATextThatHasItsFirstTokenGetsNoOther) {
  const std::string first = tokenizer_.bos_token();
  ASSERT_NE(first, "");
  Encoder encoder(tokenizer_, 100, Harness::current);
  EXPECT_EQ(encoder.prompt(first + "one", 1, "row"), tokenizer_.encode(first + "one", false));
  EXPECT_EQ(encoder.prompt("one", 1, "row"), tokenizer_.encode("one", true));
  EXPECT_EQ(Encoder(tokenizer_, 100, Harness::open_llm_v1).prompt("one", 1, "row"),
            tokenizer_.encode("one", false));
  EXPECT_EQ(tokens_of(encoder.choice("", "one", "row")).front(), *tokenizer_.bos_id());
}

TEST_F(Encoders, WhatIsTooLongLosesItsBeginning) {
  Encoder encoder(tokenizer_, 8, Harness::current);
  const std::string context = "a b c d e f g h i j k l m n o p";
  const Ids whole = tokenizer_.encode(context + " q", true);
  ASSERT_GT(whole.size(), 9U);
  const Sequence sequence = encoder.choice(context, " q", "row");
  EXPECT_EQ(tokens_of(sequence), Ids(whole.end() - 9, whole.end()));
  EXPECT_EQ(sequence.tokens.size() - static_cast<std::size_t>(sequence.scored_begin),
            whole.size() - tokenizer_.encode(context, true).size());
  EXPECT_EQ(encoder.prompt(context, 5, "row").size(), 3U);
  EXPECT_EQ(encoder.truncated(), 2);
  EXPECT_THAT(user_error_of([&] { encoder.prompt(context, 8, "rows.jsonl:3"); }),
              AllOf(HasSubstr("rows.jsonl:3"), HasSubstr("8 tokens does not fit")));
  EXPECT_THAT(user_error_of([&] { encoder.choice("a", context, "rows.jsonl:3"); }),
              HasSubstr("does not fit into the model's context of 8"));
  EXPECT_THAT(user_error_of([&] { encoder.choice("a", "", "rows.jsonl:3"); }),
              HasSubstr("has no tokens of its own"));
}

// Every token of a text is predicted once, from as much as there is room for.
TEST_F(Encoders, WindowsCoverATextOnce) {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += " w" + std::to_string(i);
  }
  const Ids whole = tokenizer_.encode(text, true);
  for (const std::int64_t max_length : {1, 2, 7, 500}) {
    Encoder encoder(tokenizer_, max_length, Harness::current);
    Ids predicted;
    for (const Sequence& window : encoder.text(text, "text")) {
      EXPECT_LE(window.tokens.size(), static_cast<std::size_t>(max_length) + 1);
      EXPECT_TRUE(window.is_valid());
      if (!predicted.empty()) {  // the others are full
        EXPECT_EQ(window.tokens.size(), static_cast<std::size_t>(max_length) + 1);
      }
      predicted.insert(predicted.end(), window.tokens.begin() + window.scored_begin,
                       window.tokens.end());
    }
    EXPECT_EQ(predicted, whole) << max_length;
  }
}

}  // namespace
}  // namespace lmpo::encoder_test
