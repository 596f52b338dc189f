// Logits of the cache against log-probabilities found by scoring whole prefixes.
#include "generate/decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "generate/testing/scored_truth.h"

namespace lmpo {
namespace {

using testing::random_prompts;
using testing::ScoredTruth;

class DecoderTest : public ::testing::TestWithParam<const char*> {};

// The logits after a prefix, and the truth's log-probabilities.
void expect_scored(std::span<const float> logits, ScoredTruth& truth,
                   const std::vector<std::int32_t>& prefix) {
  // Where the length decides between rotary tables, scoring counts the next token already.
  if (std::ssize(prefix) == truth.config().ropes[0].original_positions) {
    return;
  }
  const std::vector<float> logp = truth.next_logp(prefix);
  double sum = 0;
  for (const float logit : logits) {
    sum += std::exp(static_cast<double>(logit));
  }
  for (std::size_t token = 0; token < logp.size(); ++token) {
    EXPECT_NEAR(static_cast<double>(logits[token]) - std::log(sum), logp[token], 2e-5) << token;
  }
}

// Slots of different lengths side by side, one of them not in use, one started anew on the way.
TEST_P(DecoderTest, LogitsEqualScoringOfTheWholePrefix) {
  ScoredTruth truth(GetParam());
  const auto vocabulary = static_cast<std::size_t>(truth.config().vocab_size);
  const auto texts = random_prompts({24, 24, 24, 24}, truth.config().vocab_size);
  Arena arena = Arena::host(std::size_t{64} << 20);
  Decoder decoder(truth.weights(), truth.ops(), arena, 4, 24);
  std::vector<float> logits(4 * vocabulary);
  std::vector<std::size_t> lengths = {1, 13, 0, 7};  // 0: not in use
  const auto prefix = [&](std::size_t slot) {
    return std::vector<std::int32_t>(
        texts[slot].begin(), texts[slot].begin() + static_cast<std::ptrdiff_t>(lengths[slot]));
  };
  const auto start = [&](std::size_t slot) {
    const std::span<float> row(logits.data(), vocabulary);
    decoder.prefill(static_cast<std::int64_t>(slot), prefix(slot), row);
    expect_scored(row, truth, prefix(slot));
  };
  for (const std::size_t slot : {0U, 1U, 3U}) {
    start(slot);
  }
  for (int step = 0; step < 11; ++step) {
    if (step == 5) {
      decoder.release(1);
      lengths[1] = 3;
      start(1);
    }
    std::vector<std::int32_t> next(4, 0);
    for (std::size_t slot = 0; slot < 4; ++slot) {
      if (lengths[slot] > 0) {
        next[slot] = texts[slot][lengths[slot]++];
      }
    }
    decoder.step(next, logits);
    for (std::size_t slot = 0; slot < 4; ++slot) {
      EXPECT_EQ(decoder.length(static_cast<std::int64_t>(slot)),
                static_cast<std::int64_t>(lengths[slot]));
      if (lengths[slot] > 0) {
        expect_scored({logits.data() + slot * vocabulary, vocabulary}, truth, prefix(slot));
      }
    }
  }
}

// Pieces of several tokens, with a return to an earlier place on the way.
TEST_P(DecoderTest, ExtendingEqualsScoringOfTheWholePrefix) {
  ScoredTruth truth(GetParam());
  const auto vocabulary = static_cast<std::size_t>(truth.config().vocab_size);
  const auto text = random_prompts({24}, truth.config().vocab_size)[0];
  Arena arena = Arena::host(std::size_t{64} << 20);
  Decoder decoder(truth.weights(), truth.ops(), arena, 2, 24);
  std::vector<float> logits(vocabulary);
  const auto extend_to = [&](std::int64_t end) {
    const std::int64_t begin = decoder.length(1);
    decoder.extend(1,
                   std::span(text).subspan(static_cast<std::size_t>(begin),
                                           static_cast<std::size_t>(end - begin)),
                   logits);
    EXPECT_EQ(decoder.length(1), end);
    expect_scored(logits, truth, {text.begin(), text.begin() + end});
  };
  extend_to(7);
  extend_to(8);
  extend_to(24);
  decoder.truncate(1, 3);
  extend_to(19);
  EXPECT_EQ(decoder.length(0), 0);
}

// Beginnings of a long sequence that become other, shorter ones.
TEST_P(DecoderTest, ForksAndCutsEqualScoringOfTheWholePrefix) {
  ScoredTruth truth(GetParam());
  const auto vocabulary = static_cast<std::size_t>(truth.config().vocab_size);
  const auto text = random_prompts({24}, truth.config().vocab_size)[0];
  const std::span<const std::int32_t> tokens = text;
  Arena arena = Arena::host(std::size_t{64} << 20);
  Decoder decoder(truth.weights(), truth.ops(), arena, 2, 24);
  std::vector<float> logits(2 * vocabulary);
  decoder.prefill(0, tokens.first(21), std::span(logits).first(vocabulary));
  decoder.fork(0, 1, 6);
  decoder.truncate(0, 9);
  for (std::size_t i = 0; i < 12; ++i) {
    decoder.step(std::vector<std::int32_t>{text[9 + i], text[6 + i]}, logits);
    const auto after = [&](std::size_t length) {
      return std::vector<std::int32_t>(text.begin(),
                                       text.begin() + static_cast<std::ptrdiff_t>(length));
    };
    expect_scored(std::span(logits).first(vocabulary), truth, after(10 + i));
    expect_scored(std::span(logits).last(vocabulary), truth, after(7 + i));
  }
}

// What a run that was broken off and goes on relies on: its answers come into other slots, beside
// others.
TEST_P(DecoderTest, NeitherTheSlotNorItsCompanyChangesABit) {
  ScoredTruth truth(GetParam());
  const auto vocabulary = static_cast<std::size_t>(truth.config().vocab_size);
  const auto texts =
      random_prompts({20, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24}, truth.config().vocab_size);
  for (const std::int64_t slots : {2, 4, 5, 11}) {  // few rows have a kernel of their own
    // The logits of the first text, five tokens of it as the prompt, in a slot among others.
    const auto logits_in = [&](std::int64_t slot, std::int64_t shift) {
      Arena arena = Arena::host(std::size_t{64} << 20);
      Decoder decoder(truth.weights(), truth.ops(), arena, slots, 24);
      std::vector<float> step(static_cast<std::size_t>(slots) * vocabulary);
      std::vector<float> all(vocabulary);
      const auto text_in = [&](std::int64_t other) -> const std::vector<std::int32_t>& {
        return texts[other == slot ? 0 : static_cast<std::size_t>((other + shift) % 10 + 1)];
      };
      for (std::int64_t other = 0; other < slots; ++other) {
        const std::int64_t length = other == slot ? 5 : 1 + (other + shift) % 8;
        decoder.prefill(other, std::span(text_in(other)).first(static_cast<std::size_t>(length)),
                        {step.data(), vocabulary});
        if (other == slot) {
          std::copy_n(step.begin(), vocabulary, all.begin());
        }
      }
      for (int i = 0; i < 12; ++i) {
        std::vector<std::int32_t> next;
        for (std::int64_t other = 0; other < slots; ++other) {
          next.push_back(text_in(other)[static_cast<std::size_t>(decoder.length(other))]);
        }
        decoder.step(next, step);
        const auto row = step.begin() + slot * static_cast<std::ptrdiff_t>(vocabulary);
        all.insert(all.end(), row, row + static_cast<std::ptrdiff_t>(vocabulary));
      }
      return all;
    };
    const std::vector<float> expected = logits_in(0, 0);
    for (std::int64_t slot = 0; slot < slots; ++slot) {
      EXPECT_EQ(logits_in(slot, slot + 3), expected) << "slot " << slot << " of " << slots;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, DecoderTest,
                         ::testing::Values("llama", "llama_tied", "mistral", "llama_bias", "gemma2",
                                           "gemma3_text", "granite", "ministral3", "olmo2",
                                           "phi3_longrope_partial", "qwen3", "smollm3"),
                         [](const auto& given) { return std::string(given.param); });

TEST(DecoderMemory, TheCacheHoldsTheRequestedLengthsAndNothingMore) {
  ScoredTruth truth("mistral");
  const ModelConfig& config = truth.config();
  const auto plan_ops = make_plan_ops(truth.ops());
  Arena counting = Arena::counting();
  const Decoder decoder(truth.weights(), *plan_ops, counting, 3, 40);
  const std::int64_t cache =
      2 * config.layers * 3 * 40 * config.key_heads * config.head_size * std::int64_t{4};
  EXPECT_EQ(counting.at_peak().at("key-value cache"), static_cast<std::size_t>(cache));
}

TEST(DecoderMemory, APromptLongerThanASlotIsABrokenInvariant) {
  ScoredTruth truth("llama");
  Arena arena = Arena::host(std::size_t{64} << 20);
  Decoder decoder(truth.weights(), truth.ops(), arena, 1, 4);
  std::vector<float> logits(static_cast<std::size_t>(truth.config().vocab_size));
  EXPECT_THROW(decoder.prefill(0, std::vector<std::int32_t>(5, 3), logits), std::logic_error);
  EXPECT_THROW(decoder.prefill(0, {}, logits), std::logic_error);
  decoder.prefill(0, std::vector<std::int32_t>(4, 3), logits);
  EXPECT_THROW(decoder.step(std::vector<std::int32_t>{3}, logits), std::logic_error);
}

}  // namespace
}  // namespace lmpo
