// Pieces of answers against the whole text, cut at the first stop string that is complete.
#include "generate/answer_text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "base/testing/test_paths.h"

namespace lmpo::answer_text_test {
namespace {

Tokenizer gpt2() {
  const fs::path path = source_folder() / "src/text/testdata/gpt2.json";
  return Tokenizer::from_json(read_file(path), path.string());
}

struct Shown {
  std::vector<std::string> pieces;
  bool stopped = false;

  std::string text() const {
    std::string all;
    for (const std::string& piece : pieces) {
      all += piece;
    }
    return all;
  }
};

Shown show(const Tokenizer& tokenizer, const std::vector<TokenId>& tokens,
           const std::vector<std::string>& stops) {
  AnswerText text(tokenizer, stops);
  Shown shown;
  for (const TokenId token : tokens) {
    shown.pieces.push_back(text.add(token));
  }
  shown.pieces.push_back(text.finish());
  shown.stopped = text.stopped();
  return shown;
}

TEST(AnswerText, EndsBeforeAStopString) {
  const Tokenizer tokenizer = gpt2();
  const std::vector<TokenId> tokens = tokenizer.encode("one two three", false);
  const Shown shown = show(tokenizer, tokens, {"o t"});
  EXPECT_EQ(shown.text(), "one tw");
  EXPECT_TRUE(shown.stopped);
  EXPECT_EQ(show(tokenizer, tokens, {"four", "", "two", "three"}).text(), "one ");
  EXPECT_FALSE(show(tokenizer, tokens, {"threee", "onee"}).stopped);
  EXPECT_EQ(show(tokenizer, tokens, {"threee"}).text(), "one two three");
}

// Whatever the tokens and the stop strings, nothing is shown that a stop string takes back, and
// nothing is kept longer than one may still come.
TEST(AnswerText, PiecesAreTheTextUpToTheFirstStopString) {
  const Tokenizer tokenizer = gpt2();
  Random random(1, 0);
  int stopped = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto letters = [&](std::uint64_t most) {
      std::string text;
      for (std::uint64_t i = 1 + random.below(most); i > 0; --i) {
        text += "ab \u00e9"[random.below(3)];
      }
      return text;
    };
    const std::string whole = letters(24) + "\u00e9" + letters(6);
    const std::vector<std::string> stops = {letters(5), letters(3) + "\u00e9"};
    const std::vector<TokenId> tokens = tokenizer.encode(whole, false);
    // The first token that completes a stop string ends the answer.
    std::size_t end = std::string::npos;
    for (std::size_t count = 1; count <= tokens.size() && end == std::string::npos; ++count) {
      const std::string text = tokenizer.decode(std::span(tokens).first(count), true);
      end = std::min(text.find(stops[0]), text.find(stops[1]));
    }
    const Shown shown = show(tokenizer, tokens, stops);
    EXPECT_EQ(shown.text(), whole.substr(0, end))
        << whole << " | " << stops[0] << " | " << stops[1];
    EXPECT_EQ(shown.stopped, end != std::string::npos);
    stopped += shown.stopped ? 1 : 0;
  }
  EXPECT_GT(stopped, 500);
  EXPECT_LT(stopped, 1900);
}

TEST(AnswerText, WhatNoStopStringCanBeginWithIsShownAtOnce) {
  const Tokenizer tokenizer = gpt2();
  const std::vector<TokenId> tokens = tokenizer.encode("one two three", false);
  const Shown with = show(tokenizer, tokens, {"xyz"});
  EXPECT_EQ(with.pieces, show(tokenizer, tokens, {}).pieces);
}

}  // namespace
}  // namespace lmpo::answer_text_test
