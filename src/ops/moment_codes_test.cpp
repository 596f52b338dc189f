// Beside bitsandbytes: tools/oracle/moment_codes_golden.py.
#include "ops/moment_codes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "base/testing/test_paths.h"

namespace lmpo::moment_codes_test {
namespace {

struct Case {
  const char* name;
  MomentSign sign;
};

// For the name of a test.
void PrintTo(const Case& given, std::ostream* out) {
  *out << given.name;
}

class MomentCodes : public ::testing::TestWithParam<Case> {
 protected:
  MomentSign sign_ = GetParam().sign;
  json golden_ =
      read_json(source_folder() / "src/ops/testdata/moment_codes.json").at(GetParam().name);
};

INSTANTIATE_TEST_SUITE_P(Signs, MomentCodes,
                         ::testing::Values(Case{"either", MomentSign::either},
                                           Case{"positive", MomentSign::positive}),
                         [](const auto& given) { return given.param.name; });

TEST_P(MomentCodes, NameTheValuesOfBitsandbytes) {
  const auto expected = golden_["values"].get<std::vector<float>>();
  ASSERT_EQ(expected.size(), 256u);
  for (std::size_t code = 0; code < 256; ++code) {
    EXPECT_NEAR(moment_values(sign_)[code], expected[code], 2e-7F * std::abs(expected[code]));
  }
}

// Its search on the CPU is approximate: where the codes differ, ours is the nearer.
TEST_P(MomentCodes, AreAtLeastAsNearAsThoseOfBitsandbytes) {
  for (const json& block : golden_["blocks"]) {
    const auto x = block["x"].get<std::vector<float>>();
    const auto expected = block["codes"].get<std::vector<int>>();
    std::vector<std::uint8_t> codes(x.size());
    EXPECT_EQ(encode_moments(codes.data(), x.data(), 256, sign_), block["scale"].get<float>());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool lifted = sign_ == MomentSign::positive && expected[i] == 0 && x[i] > 0;
      if (!lifted) {
        const auto error = [&](std::size_t code) {
          return std::abs(x[i] / block["scale"].get<float>() - moment_values(sign_)[code]);
        };
        EXPECT_LE(error(codes[i]), error(static_cast<std::size_t>(expected[i])) + 1e-7F) << x[i];
      }
    }
  }
}

// By trying all of them.
TEST_P(MomentCodes, AreTheNearest) {
  Random random(3, 0);
  std::vector<float> x(256);
  std::vector<std::uint8_t> codes(x.size());
  std::vector<float> decoded(x.size());
  for (int trial = 0; trial < 200; ++trial) {
    for (float& value : x) {
      const double drawn = random.normal() * std::pow(10.0, -8 * random.uniform());
      value = static_cast<float>(sign_ == MomentSign::positive ? std::abs(drawn) : drawn);
    }
    const float scale = encode_moments(codes.data(), x.data(), 256, sign_);
    decode_moments(decoded.data(), codes.data(), scale, 256, sign_);
    for (std::size_t i = 0; i < x.size(); ++i) {
      float best = 2;
      for (const float value : moment_values(sign_)) {
        best = std::min(best, std::abs(x[i] / scale - value));
      }
      const bool lifted = sign_ == MomentSign::positive && codes[i] == 1;
      if (!lifted) {
        EXPECT_LE(std::abs(x[i] - decoded[i]) / scale, best + 1e-7F) << x[i];
      }
    }
  }
}

TEST_P(MomentCodes, ZerosAreZerosWhateverTheCodes) {
  const std::vector<float> zeros(10, 0.0F);
  std::vector<std::uint8_t> codes(10, 77);
  std::vector<float> decoded(10, 1.0F);
  EXPECT_EQ(encode_moments(codes.data(), zeros.data(), 10, sign_), 0);
  decode_moments(decoded.data(), codes.data(), 0, 10, sign_);
  EXPECT_EQ(decoded, zeros);
}

}  // namespace
}  // namespace lmpo::moment_codes_test
