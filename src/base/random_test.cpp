// Random numbers and fingerprints, against what their authors publish and against their laws.
#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"

namespace lmpo::random_test {
namespace {

TEST(Random, PhiloxKnownAnswers) {
  // Known-answer vectors published with the generator (kat_vectors of Random123).
  using Block = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox(0, 0, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~0ULL, ~0ULL, ~0ULL), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  Random random(42, 1);
  std::array<double, 4> normal{};
  std::array<double, 2> uniform{};
  constexpr int kCount = 200'000;
  for (int i = 0; i < kCount; ++i) {
    const double x = random.normal();
    const double u = random.uniform();
    for (std::size_t power = 0; power < 4; ++power) {
      normal[power] += std::pow(x, power + 1) / kCount;
    }
    uniform[0] += u / kCount;
    uniform[1] += u * u / kCount;
    ASSERT_TRUE(u >= 0 && u < 1);
  }
  EXPECT_NEAR(normal[0], 0, 0.01);
  EXPECT_NEAR(normal[1], 1, 0.01);
  EXPECT_NEAR(normal[2], 0, 0.03);
  EXPECT_NEAR(normal[3], 3, 0.1);
  EXPECT_NEAR(uniform[0], 1.0 / 2, 0.003);
  EXPECT_NEAR(uniform[1], 1.0 / 3, 0.003);
}

// The sum of (seen - expected)^2 / expected.
double chi_square(const std::vector<double>& seen) {
  const double expected = std::accumulate(seen.begin(), seen.end(), 0.0) / double(seen.size());
  double sum = 0;
  for (const double count : seen) {
    sum += (count - expected) * (count - expected) / expected;
  }
  return sum;
}

// A remainder alone would draw the lower half twice as often.
TEST(Random, BelowHasNoBias) {
  constexpr std::uint64_t kBound = std::uint64_t{3} << 62;
  Random random(1, 2);
  std::vector<double> sixths(6);
  for (int i = 0; i < 60'000; ++i) {
    const std::uint64_t draw = random.below(kBound);
    ASSERT_LT(draw, kBound);
    ++sixths[draw / (kBound / 6)];
  }
  EXPECT_LT(chi_square(sixths), 25);  // of five degrees of freedom: 1 in 7,000
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, EveryPermutationIsAsLikely) {
  std::map<std::vector<std::int64_t>, std::size_t> place;
  std::vector<std::int64_t> order = {0, 1, 2, 3};
  do {
    place.emplace(order, place.size());
  } while (std::next_permutation(order.begin(), order.end()));
  std::vector<double> seen(place.size());
  for (std::uint64_t stream = 0; stream < 24'000; ++stream) {
    ++seen.at(place.at(permutation(4, 5, stream)));
  }
  EXPECT_LT(chi_square(seen), 60);  // of 23 degrees of freedom: 1 in 30,000
  EXPECT_EQ(permutation(1000, 3, 4), permutation(1000, 3, 4));
  EXPECT_NE(permutation(1000, 3, 4), permutation(1000, 3, 5));
  EXPECT_NE(permutation(1000, 3, 4), permutation(1000, 2, 4));
  EXPECT_TRUE(permutation(0, 1, 1).empty());
}

// From xxhash's Python binding 3.x: xxh3_128_hexdigest(bytes(i * 7 % 256 for i in range(size))).
// The algorithm changes at 1, 4, 9, 17, 129 and 241 bytes.
TEST(Hash, IsXxh3) {
  const std::map<std::size_t, std::string> known = {
      {0, "99aa06d3014798d86001c324468d497f"},   {1, "a6cd5e9392000f6ac44bdff4074eecdb"},
      {3, "656e81c56e41fe02c3489259e968ad9e"},   {8, "e4b9dd0b66ff3c50ebabbd0695002ff6"},
      {9, "82ddc95bc76007671c69c3f04aaed08c"},   {16, "ddf6c1254d70f76794eaa17b20756f46"},
      {17, "263f67af63088041735fe434ded90c3c"},  {128, "dd9e5aa9bd51cc9cc6bd21ecc865f29f"},
      {129, "00433635cf8d872e7f4accb76587485b"}, {240, "89e3a0a2ee355d25d10beb4e0599e4b3"},
      {241, "75f4da43f23cce5a541b19226f0052e8"}, {5000, "a4ba2a60fb07e0166abe8be5abcb2760"}};
  for (const auto& [size, digits] : known) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) {
      bytes += static_cast<char>(i * 7 % 256);
    }
    for (const std::size_t piece : {size + 1, std::size_t{1}, std::size_t{100}}) {
      Hash hash;
      for (std::size_t at = 0; at < size; at += piece) {
        hash.add_bytes(bytes.data() + at, std::min(piece, size - at));
      }
      EXPECT_EQ(hash.text(), digits) << size << " bytes, " << piece << " at a time";
    }
  }
}

TEST(Hash, ToldApartFromNeighbours) {
  const auto of = [](const std::vector<std::string>& texts) {
    Hash hash;
    for (const std::string& text : texts) {
      hash.add(text);
    }
    return hash.text();
  };
  const std::set<std::string> different = {of({"ab", "c"}), of({"a", "bc"}), of({"abc"}),
                                           of({"abc", ""}), of({"", "abc"}), of({})};
  EXPECT_EQ(different.size(), 6U);
}

}  // namespace
}  // namespace lmpo::random_test
