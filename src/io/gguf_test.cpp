// GGUF files: the bytes beside the specification, the types beside closed forms.
#include "io/gguf.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/testing/test_folder.h"
#include "io/q8_0.h"
#include "io/store_floats.h"
#include "io/testing/gguf_reader.h"

namespace lmpo::gguf_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Gguf : public FolderTest {
 protected:
  static GgufTensor tensor(std::string name, GgufType type, std::vector<std::int64_t> shape,
                           const std::function<float(std::int64_t)>& element) {
    return {.name = std::move(name),
            .type = type,
            .shape = std::move(shape),
            .read = [element](std::int64_t begin, std::span<float> out) {
              for (std::size_t i = 0; i < out.size(); ++i) {
                out[i] = element(begin + static_cast<std::int64_t>(i));
              }
            }};
  }
  fs::path file() const { return folder_ / "model.gguf"; }
};

float as_float(std::int64_t i) {
  return static_cast<float>(i);
}

TEST_F(Gguf, EveryByteOfASmallFile) {
  write_gguf(file(), {{"k", std::uint32_t{7}}},
             {tensor("a", GgufType::f32, {1, 2}, as_float),
              tensor("b", GgufType::f16, {1}, [](auto) { return 1.0F; })});
  using namespace std::string_literals;
  const std::string expected =
      "GGUF\3\0\0\0"s
      "\2\0\0\0\0\0\0\0"s
      "\1\0\0\0\0\0\0\0"s
      "\1\0\0\0\0\0\0\0k\4\0\0\0\7\0\0\0"s
      "\1\0\0\0\0\0\0\0a\2\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"s
      "\1\0\0\0\0\0\0\0b\1\0\0\0\1\0\0\0\0\0\0\0\1\0\0\0\40\0\0\0\0\0\0\0"s;
  const std::size_t data = (expected.size() + 31) / 32 * 32;
  const std::string written = read_file(file());
  EXPECT_EQ(written.substr(0, expected.size()), expected);
  EXPECT_EQ(written.substr(expected.size(), data - expected.size()),
            std::string(data - expected.size(), '\0'));
  EXPECT_EQ(written.substr(data),
            "\0\0\0\0\0\0\x80\x3f"s + std::string(24, '\0') + "\0\x3c"s + std::string(30, '\0'));
}

TEST_F(Gguf, ValuesOfEveryType) {
  const GgufMetadata metadata = {{"number", std::uint32_t{4'000'000'000}},
                                 {"real", 0.5F},
                                 {"yes", true},
                                 {"text", std::string("h\u00e9")},
                                 {"numbers", std::vector<std::int32_t>{-1, 2}},
                                 {"reals", std::vector<float>{-0.25F}},
                                 {"texts", std::vector<std::string>{"", "a b"}},
                                 {"none", std::vector<std::string>{}}};
  write_gguf(file(), metadata, {});
  const ReadGguf read = GgufParser::read(file());
  EXPECT_EQ(read.version, 3U);
  ASSERT_EQ(read.keys.size(), metadata.size());
  EXPECT_EQ(read.key("number"), 4'000'000'000U);
  EXPECT_EQ(read.key("real"), 0.5);
  EXPECT_EQ(read.key("yes"), true);
  EXPECT_EQ(read.key("text"), "h\u00e9");
  EXPECT_EQ(read.key("numbers"), json({-1, 2}));
  EXPECT_EQ(read.key("reals"), json::array({-0.25}));
  EXPECT_EQ(read.key("texts"), json({"", "a b"}));
  EXPECT_EQ(read.key("none"), json::array());
}

// More elements than one piece, and a last one that is not whole.
TEST_F(Gguf, LargeTensorsArriveInOrder) {
  constexpr std::int64_t count = (std::int64_t{1} << 21) + 5;
  write_gguf(file(), {},
             {tensor("small", GgufType::f32, {3}, as_float),
              tensor("large", GgufType::f32, {count}, as_float),
              tensor("last", GgufType::f32, {2}, [](std::int64_t i) { return as_float(i - 9); })});
  const ReadGguf read = GgufParser::read(file());
  const std::vector<float> values = read.floats("large");
  for (std::int64_t i = 0; i < count; ++i) {
    ASSERT_EQ(values[static_cast<std::size_t>(i)], as_float(i)) << i;
  }
  EXPECT_THAT(read.floats("last"), ElementsAre(-9, -8));
  for (const auto& [name, tensor] : read.tensors) {
    EXPECT_EQ((tensor.begin - read.data_begin) % 32, 0U) << name;
  }
}

TEST_F(Gguf, AFailureLeavesNothing) {
  const auto too_large = tensor("w", GgufType::f16, {64}, [](auto) { return 1e6F; });
  EXPECT_THAT(user_error_of([&] { write_gguf(file(), {}, {too_large}); }),
              HasSubstr("tensor 'w' holds 1000000, too large for float16"));
  EXPECT_THAT(listing(), ElementsAre());
}

TEST(StoreFloats, RoundsToTheNearest) {
  const std::vector<float> values = {1.0F, -0.0F, 1.00390625F, 65519.0F};
  std::array<std::byte, 8> out{};
  store_floats(values, Dtype::bf16, out, "w");
  std::array<std::uint16_t, 4> bits{};
  std::memcpy(bits.data(), out.data(), out.size());
  EXPECT_THAT(bits, ElementsAre(0x3f80, 0x8000, 0x3f80, 0x4780));
  store_floats(values, Dtype::f16, out, "w");
  std::memcpy(bits.data(), out.data(), out.size());
  EXPECT_THAT(bits, ElementsAre(0x3c00, 0x8000, 0x3c04, 0x7bff));
  const float overflow = 65520.0F;
  EXPECT_THAT(user_error_of([&] {
                store_floats({&overflow, 1}, Dtype::f16, std::span(out).first(2), "w");
              }),
              HasSubstr("too large for float16"));
}

TEST(QuantizeQ8_0, ScaleIsTheLargestOver127AndTiesGoAwayFromZero) {
  std::vector<float> values(64, 0.0F);
  values[0] = -127;  // scale 1
  values[1] = 2.5F;
  values[2] = -2.5F;
  values[3] = 126.49F;
  std::array<std::byte, 68> out{};
  quantize_q8_0(values, out, "w");
  std::array<std::int8_t, 68> codes{};
  std::memcpy(codes.data(), out.data(), out.size());
  EXPECT_THAT(std::span(codes).subspan(0, 7), ElementsAre(0, 0x3c, -127, 3, -3, 126, 0));
  EXPECT_THAT(std::span(codes).subspan(34), ::testing::Each(0));  // a block of zeros
}

TEST(QuantizeQ8_0, WhatIsNoNumberIsRefused) {
  std::vector<float> values(32, 1.0F);
  std::array<std::byte, 34> out{};
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    values[5] = bad;
    EXPECT_THAT(user_error_of([&] { quantize_q8_0(values, out, "w"); }),
                HasSubstr("which q8_0 cannot store"));
  }
}

}  // namespace
}  // namespace lmpo::gguf_test
