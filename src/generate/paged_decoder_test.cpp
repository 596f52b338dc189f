// Logits over a paged cache against log-probabilities found by scoring whole prefixes.
#include "generate/paged_decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "generate/testing/scored_truth.h"

namespace lmpo::paged_decoder_test {
namespace {

using testing::random_prompts;
using testing::ScoredTruth;
using TokenList = std::vector<std::int32_t>;

constexpr std::int64_t kPage = 4;
constexpr std::int64_t kLongest = 24;

class PagedDecoderTest : public ::testing::TestWithParam<const char*> {
 protected:
  // A decoder with memory of its own, and which pages each sequence has.
  struct Decoding {
    Decoding(ScoredTruth& truth, std::vector<TokenList> given_pages)
        : arena(Arena::host(std::size_t{64} << 20)),
          decoder(truth.weights(), truth.ops(), arena,
                  {.pages = 40, .page_tokens = kPage, .max_length = kLongest}),
          pages(std::move(given_pages)) {}

    // Adds tokens [begin, end) of a text in the pages of `sequence`; wants the logits after the last.
    void add(PagedBatch& batch, std::size_t sequence, const TokenList& text, std::int64_t begin,
             std::int64_t end) {
      const std::int64_t row = decoder.add(
          batch,
          std::span(text).subspan(static_cast<std::size_t>(begin),
                                  static_cast<std::size_t>(end - begin)),
          begin,
          std::span(pages[sequence]).first(static_cast<std::size_t>((end + kPage - 1) / kPage)),
          std::ssize(text));
      batch.wanted.push_back(static_cast<std::int32_t>(row + end - begin - 1));
    }
    std::vector<std::vector<float>> run(const PagedBatch& batch, std::int64_t vocabulary) {
      std::vector<std::vector<float>> all;
      decoder.run(batch, 2, [&](std::int64_t first, std::span<const float> logits) {
        EXPECT_EQ(first, std::ssize(all));
        for (auto row = logits.begin(); row != logits.end(); row += vocabulary) {
          all.emplace_back(row, row + vocabulary);
        }
      });
      return all;
    }

    Arena arena;
    PagedDecoder decoder;
    std::vector<TokenList> pages;
  };

  void expect_scored(const std::vector<float>& logits, const TokenList& prefix) {
    const std::vector<float> logp = truth_.next_logp(prefix);
    double sum = 0;
    for (const float logit : logits) {
      sum += std::exp(static_cast<double>(logit));
    }
    for (std::size_t token = 0; token < logp.size(); ++token) {
      EXPECT_NEAR(static_cast<double>(logits[token]) - std::log(sum), logp[token], 2e-5) << token;
    }
  }

  ScoredTruth truth_{GetParam()};
  std::int64_t vocabulary_ = truth_.config().vocab_size;
  std::vector<TokenList> texts_ = random_prompts({kLongest, kLongest, kLongest}, vocabulary_);
};

const std::vector<TokenList> kScattered = {
    {7, 3, 38, 0, 21, 5}, {39, 1, 2, 4, 6, 8}, {30, 29, 28, 27, 26, 25}};

// Sequences side by side, in pieces of any size, in pages that lie anywhere. (The length that decides
// between rotary tables is that of the whole text here, as it is of a prompt.)
TEST_P(PagedDecoderTest, LogitsEqualScoringOfTheWholePrefix) {
  Decoding decoding(truth_, kScattered);
  const std::vector<std::vector<std::int64_t>> cuts = {
      {0, 5, 6, 7, 24}, {0, 1, 13, 14, 23}, {0, 24, 24, 24, 24}};
  for (std::size_t piece = 0; piece + 1 < cuts[0].size(); ++piece) {
    PagedBatch batch;
    std::vector<TokenList> prefixes;
    for (std::size_t s = 0; s < texts_.size(); ++s) {
      if (cuts[s][piece] < cuts[s][piece + 1]) {
        decoding.add(batch, s, texts_[s], cuts[s][piece], cuts[s][piece + 1]);
        prefixes.emplace_back(texts_[s].begin(), texts_[s].begin() + cuts[s][piece + 1]);
      }
    }
    const auto logits = decoding.run(batch, vocabulary_);
    ASSERT_EQ(logits.size(), prefixes.size());
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
      const bool is_whole_length =
          decoding.decoder.kind(std::ssize(prefixes[i]) + 1) == decoding.decoder.kind(kLongest);
      if (is_whole_length) {
        expect_scored(logits[i], prefixes[i]);
      }
    }
  }
}

// What a request's answer relies on.
TEST_P(PagedDecoderTest, NeitherPagesNorCompanyNorPiecesChangeABit) {
  const auto last_logits = [&](std::vector<TokenList> pages, const std::vector<std::int64_t>& cuts,
                               std::size_t others) {
    Decoding decoding(truth_, std::move(pages));
    std::vector<float> last;
    for (std::size_t piece = 0; piece + 1 < cuts.size(); ++piece) {
      PagedBatch batch;
      for (std::size_t s = 1; s <= others; ++s) {
        decoding.add(batch, s, texts_[s], cuts[piece], cuts[piece + 1]);
      }
      decoding.add(batch, 0, texts_[0], cuts[piece], cuts[piece + 1]);
      last = decoding.run(batch, vocabulary_).back();
    }
    return last;
  };
  const std::vector<float> expected = last_logits(kScattered, {0, kLongest}, 0);
  std::vector<std::int64_t> one_by_one;
  for (std::int64_t i = 0; i <= kLongest; ++i) {
    one_by_one.push_back(i);
  }
  const std::vector<TokenList> in_order = {
      {0, 1, 2, 3, 4, 5}, {6, 7, 8, 9, 10, 11}, {12, 13, 14, 15, 16, 17}};
  for (const auto& cuts : {std::vector<std::int64_t>{0, kLongest}, one_by_one,
                           std::vector<std::int64_t>{0, 3, 4, 17, kLongest}}) {
    for (const std::size_t others : {0U, 1U, 2U}) {
      EXPECT_EQ(last_logits(in_order, cuts, others), expected)
          << cuts.size() - 1 << " pieces beside " << others;
    }
  }
}

TEST_P(PagedDecoderTest, CopiedPagesAreAsGoodAsComputedOnes) {
  Decoding decoding(truth_, kScattered);
  PagedBatch whole;
  decoding.add(whole, 0, texts_[0], 0, kLongest);
  const auto expected = decoding.run(whole, vocabulary_);
  decoding.decoder.copy_page(kScattered[0][5], 31);
  decoding.pages[0][5] = 31;
  PagedBatch rest;
  decoding.add(rest, 0, texts_[0], 22, kLongest);
  EXPECT_EQ(decoding.run(rest, vocabulary_), expected);
}

INSTANTIATE_TEST_SUITE_P(All, PagedDecoderTest,
                         ::testing::Values("llama", "llama_tied", "mistral", "llama_bias", "gemma2",
                                           "gemma3_text", "granite", "ministral3", "olmo2",
                                           "phi3_longrope_partial", "qwen3", "smollm3"),
                         [](const auto& given) { return std::string(given.param); });

TEST(PagedDecoderMemory, TheCacheHoldsItsPagesAndNothingMore) {
  ScoredTruth truth("mistral");
  const ModelConfig& config = truth.config();
  const auto plan_ops = make_plan_ops(truth.ops());
  Arena counting = Arena::counting();
  const PagedDecoder decoder(truth.weights(), *plan_ops, counting,
                             {.pages = 10, .page_tokens = 4, .max_length = 40});
  const std::int64_t cache =
      2 * config.layers * 10 * 4 * config.key_heads * config.head_size * std::int64_t{4};
  EXPECT_EQ(counting.at_peak().at("key-value cache"), static_cast<std::size_t>(cache));
}

TEST(PagedDecoderMemory, PagesThatDoNotFitTheTokensAreABrokenInvariant) {
  ScoredTruth truth("llama");
  Arena arena = Arena::host(std::size_t{64} << 20);
  const PagedDecoder decoder(truth.weights(), truth.ops(), arena,
                             {.pages = 4, .page_tokens = 4, .max_length = 8});
  PagedBatch batch;
  const TokenList pages = {0, 1, 2};
  const TokenList tokens(9, 3);
  const auto add = [&](std::int64_t count, std::int64_t begin, std::size_t of_pages) {
    decoder.add(batch, std::span(tokens).first(static_cast<std::size_t>(count)), begin,
                std::span(pages).first(of_pages), begin + count);
  };
  EXPECT_THROW(add(9, 0, 3), std::logic_error);
  EXPECT_THROW(add(0, 0, 0), std::logic_error);
  EXPECT_THROW(add(4, 2, 1), std::logic_error);
  EXPECT_NO_THROW(add(4, 2, 2));
}

}  // namespace
}  // namespace lmpo::paged_decoder_test
