#include "data/truncation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"

namespace lmpo::truncation_test {
namespace {

// A prompt of tokens 0, 1, ... and a response of tokens 100, 101, ...
Sequence sequence(std::int32_t prompt, std::int32_t response) {
  std::vector<std::int32_t> tokens(static_cast<std::size_t>(prompt + response));
  std::iota(tokens.begin(), tokens.begin() + prompt, 0);
  std::iota(tokens.begin() + prompt, tokens.end(), 100);
  return {tokens, prompt};
}

DataOptions new_dialect(std::int64_t max_length, TruncationMode mode) {
  DataOptions options;
  options.max_length = max_length;
  options.truncation_mode = mode;
  return options;
}

DataOptions old_dialect(std::int64_t max_length, std::int64_t max_prompt_length) {
  DataOptions options;
  options.max_length = max_length;
  options.max_prompt_length = max_prompt_length;
  return options;
}

void expect(const Sequence& sequence, const Tokens& tokens, std::int32_t scored_begin) {
  EXPECT_EQ(sequence.tokens, tokens);
  EXPECT_EQ(sequence.scored_begin, scored_begin);
}

TEST(NewDialect, KeepStartCutsResponses) {
  std::vector<Sequence> pair = {sequence(3, 4), sequence(3, 1)};
  EXPECT_TRUE(truncate(pair, new_dialect(5, TruncationMode::keep_start)));
  expect(pair[0], {0, 1, 2, 100, 101}, 3);
  expect(pair[1], {0, 1, 2, 100}, 3);
}

TEST(NewDialect, KeepStartMayLeaveNoResponse) {
  std::vector<Sequence> one = {sequence(5, 2)};
  EXPECT_TRUE(truncate(one, new_dialect(5, TruncationMode::keep_start)));
  expect(one[0], {0, 1, 2, 3, 4}, 5);
  one = {sequence(9, 2)};
  truncate(one, new_dialect(5, TruncationMode::keep_start));
  expect(one[0], {0, 1, 2, 3, 4}, 5);
}

TEST(NewDialect, KeepEndCutsPromptsThenResponses) {
  std::vector<Sequence> pair = {sequence(3, 4), sequence(3, 6)};
  EXPECT_TRUE(truncate(pair, new_dialect(5, TruncationMode::keep_end)));
  expect(pair[0], {2, 100, 101, 102, 103}, 1);
  expect(pair[1], {101, 102, 103, 104, 105}, 0);
}

TEST(NewDialect, WhatFitsIsLeftAlone) {
  std::vector<Sequence> pair = {sequence(3, 2), sequence(3, 1)};
  EXPECT_FALSE(truncate(pair, new_dialect(5, TruncationMode::keep_start)));
  EXPECT_FALSE(truncate(pair, DataOptions{}));
  expect(pair[0], {0, 1, 2, 100, 101}, 3);
}

TEST(OldDialect, CutsThePromptOfBothWhenTheLongerDoesNotFit) {
  std::vector<Sequence> pair = {sequence(5, 4), sequence(5, 1)};
  EXPECT_TRUE(truncate(pair, old_dialect(8, 3)));
  expect(pair[0], {2, 3, 4, 100, 101, 102, 103}, 3);
  expect(pair[1], {2, 3, 4, 100}, 3);
}

TEST(OldDialect, KeepStartKeepsThePromptsBeginning) {
  std::vector<Sequence> one = {sequence(5, 4)};
  DataOptions options = old_dialect(8, 3);
  options.truncation_mode = TruncationMode::keep_start;
  truncate(one, options);
  expect(one[0], {0, 1, 2, 100, 101, 102, 103}, 3);
}

TEST(OldDialect, CutsResponsesToTheDifferenceEvenAfterAShortPrompt) {
  std::vector<Sequence> pair = {sequence(2, 9), sequence(2, 5)};
  EXPECT_TRUE(truncate(pair, old_dialect(7, 3)));
  expect(pair[0], {0, 1, 100, 101, 102, 103}, 2);
  expect(pair[1], {0, 1, 100, 101, 102, 103}, 2);
}

TEST(OldDialect, WhatFitsIsLeftAloneHoweverLongThePrompt) {
  std::vector<Sequence> one = {sequence(6, 2)};
  EXPECT_FALSE(truncate(one, old_dialect(8, 3)));
  expect(one[0], {0, 1, 2, 3, 4, 5, 100, 101}, 6);
}

TEST(CheckTruncation, RefusesLengthsWithoutRoom) {
  EXPECT_NO_THROW(check_truncation(DataOptions{}));
  EXPECT_NO_THROW(check_truncation(old_dialect(8, 7)));
  EXPECT_THROW(check_truncation(old_dialect(8, 8)), UserError);
  EXPECT_THROW(check_truncation(old_dialect(8, 0)), UserError);
  EXPECT_THROW(check_truncation(new_dialect(1, TruncationMode::keep_end)), UserError);
  DataOptions options;
  options.max_prompt_length = 4;
  EXPECT_THROW(check_truncation(options), UserError);
}

// What is scored after truncation is what was scored before, of the tokens that are left.
TEST(Gaps, StayAtTheirTokens) {
  const Sequence whole{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 2, {{3, 5}, {7, 9}}};  // scored: 2, 5, 6, 9
  const std::vector<bool> scored = {false, false, true,  false, false,
                                    true,  true,  false, false, true};
  std::vector<DataOptions> all;
  for (std::int64_t length = 2; length < 10; ++length) {
    all.push_back(new_dialect(length, TruncationMode::keep_start));
    all.push_back(new_dialect(length, TruncationMode::keep_end));
    for (std::int64_t prompt = 1; prompt < length; ++prompt) {
      all.push_back(old_dialect(length, prompt));
      all.push_back(old_dialect(length, prompt));
      all.back().truncation_mode = TruncationMode::keep_start;
    }
  }
  for (const DataOptions& options : all) {
    std::vector<Sequence> cut = {whole};
    truncate(cut, options);
    Sequence& left = cut[0];
    left.scored_begin = std::max(left.scored_begin, 1);
    trim_gaps(left);
    if (left.scored_tokens() < 1) {
      continue;
    }
    ASSERT_TRUE(left.is_valid());
    std::vector<bool> seen(left.tokens.size());
    for (const TokenRun& run : left.scored_runs()) {
      std::fill(seen.begin() + run.begin, seen.begin() + run.end, true);
    }
    for (std::size_t i = 0; i < left.tokens.size(); ++i) {
      EXPECT_EQ(seen[i], i > 0 && scored[static_cast<std::size_t>(left.tokens[i])])
          << *options.max_length << " " << options.max_prompt_length.value_or(0) << " " << i;
    }
  }
}

TEST(Gaps, OneAtTheEndIsRemovedWithItsTokens) {
  std::vector<Sequence> one = {{{0, 1, 2, 3, 4, 5}, 1, {{2, 5}}}};
  EXPECT_TRUE(truncate(one, new_dialect(4, TruncationMode::keep_start)));
  expect(one[0], {0, 1}, 1);
  EXPECT_TRUE(one[0].gaps.empty());
  one = {{{0, 1, 2, 3, 4, 5}, 1, {{2, 5}}}};
  EXPECT_TRUE(truncate(one, new_dialect(3, TruncationMode::keep_end)));
  expect(one[0], {3, 4, 5}, 2);
  EXPECT_TRUE(one[0].gaps.empty());
}

}  // namespace
}  // namespace lmpo::truncation_test
