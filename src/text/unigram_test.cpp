#include "text/unigram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/json.h"
#include "base/random.h"

namespace lmpo::unigram_test {
namespace {

using ::testing::ElementsAre;

std::vector<TokenId> ids_of(const json& model, std::string_view word) {
  const Unigram unigram(JsonPart(model, "t"));
  SubwordModel::Scratch scratch;
  std::vector<TokenId> ids;
  unigram.encode(word, scratch, ids);
  return ids;
}

// The greatest sum of scores over all ways to cut the word into pieces, by trying them all.
double best_sum(const json& pieces, std::string_view word) {
  if (word.empty()) {
    return 0;
  }
  double best = -std::numeric_limits<double>::infinity();
  for (const json& piece : pieces) {
    if (const auto text = piece[0].get<std::string>(); word.starts_with(text)) {
      best = std::max(best, piece[1].get<double>() + best_sum(pieces, word.substr(text.size())));
    }
  }
  return best;
}

TEST(Unigram, TakesTheBestOfAllWays) {
  Random random(3, 0);
  for (int round = 0; round < 50; ++round) {
    json pieces = json::parse(R"([["a", -3.0], ["b", -3.5], ["é", -2.5]])");
    while (pieces.size() < 12) {
      std::string text;
      for (std::size_t i = 2 + random.below(3); i > 0; --i) {
        text += pieces[random.below(3)][0].get<std::string>();
      }
      const auto same = [&](const json& piece) { return piece[0] == text; };
      if (std::none_of(pieces.begin(), pieces.end(), same)) {
        pieces.push_back(json::array({text, -10.0 * random.uniform()}));
      }
    }
    std::string word;
    for (std::size_t i = random.below(12); i > 0; --i) {
      word += pieces[random.below(3)][0].get<std::string>();
    }
    std::string joined;
    double sum = 0;
    for (const TokenId id : ids_of({{"type", "Unigram"}, {"vocab", pieces}}, word)) {
      joined += pieces[static_cast<std::size_t>(id)][0].get<std::string>();
      sum += pieces[static_cast<std::size_t>(id)][1].get<double>();
    }
    EXPECT_EQ(joined, word);
    EXPECT_NEAR(sum, best_sum(pieces, word), 1e-12) << word;
  }
}

TEST(Unigram, UnknownCharactersBecomeOneTokenOrTheirBytes) {
  json model = json::parse(R"({"type": "Unigram", "unk_id": 0,
      "vocab": [["<unk>", 0], ["a", -1], ["<0xC3>", -9], ["<0xA9>", -9]]})");
  EXPECT_THAT(ids_of(model, "aééa"), ElementsAre(1, 0, 1));
  model["byte_fallback"] = true;
  EXPECT_THAT(ids_of(model, "aéa"), ElementsAre(1, 2, 3, 1));
  // One byte has no token, and so none of the run is used.
  EXPECT_THAT(ids_of(model, "éè"), ElementsAre(0));
}

// Two unknown characters score more than the token that they make together. As `tokenizers` has it.
TEST(Unigram, AnUnknownTextThatIsATokenIsThatToken) {
  const json model = json::parse(R"({"type": "Unigram", "unk_id": 0,
      "vocab": [["<unk>", 30], ["xy", 30], ["z", 30]]})");
  EXPECT_THAT(ids_of(model, "xy"), ElementsAre(1));
  EXPECT_THAT(ids_of(model, "zxyz"), ElementsAre(2, 1, 2));
  EXPECT_THAT(ids_of(model, "xyxy"), ElementsAre(0));
}

}  // namespace
}  // namespace lmpo::unigram_test
