#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/random.h"
#include "tensor/arena.h"

namespace lmpo {
namespace {

TEST(Dtype, Bfloat16RoundsToNearestEven) {
  EXPECT_EQ(to_bfloat16(1.0F).bits, 0x3F80);
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F808000U)).bits, 0x3F80);  // tie, to even
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F818000U)).bits, 0x3F82);  // tie, to even
  EXPECT_EQ(to_bfloat16(std::bit_cast<float>(0x3F808001U)).bits, 0x3F81);
  EXPECT_TRUE(std::isnan(to_float(to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Dtype, Float16GoesThroughEveryBitPattern) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float16 half{static_cast<std::uint16_t>(bits)};
    const float wide = to_float(half);
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(to_float(to_float16(wide))));
    } else {
      EXPECT_EQ(to_float16(wide).bits, half.bits) << bits;
    }
  }
  EXPECT_EQ(to_float16(65504.0F).bits, 0x7BFF);
  EXPECT_EQ(to_float16(65520.0F).bits, 0x7C00);
  EXPECT_EQ(to_float16(0x1.0p-25F).bits, 0);  // tie, to even
  EXPECT_EQ(to_float16(0x1.8p-25F).bits, 1);
  EXPECT_EQ(to_float16(1.0F + 0x1.0p-11F).bits, 0x3C00);
  EXPECT_EQ(to_float16(1.0F + 0x1.8p-11F).bits, 0x3C01);
}

TEST(Dtype, SplitFloatLosesNothingAndRounds) {
  Random random(1, 2);
  for (int trial = 0; trial < 100000; ++trial) {
    const auto value = std::bit_cast<float>(random.next());
    if (!std::isfinite(value) || std::abs(value) > 1e38F) {
      continue;
    }
    const SplitFloat split = split_float(value);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(join_float(split)), std::bit_cast<std::uint32_t>(value));
    const auto low = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value));
    if (low != 0x8000) {  // everywhere but at ties it is the usual rounding
      EXPECT_EQ(split.high.bits, to_bfloat16(value).bits);
    }
  }
}

TEST(Arena, InAFileKeepsWhatIsPagedOut) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / "lmpo_arena_file";
  std::filesystem::create_directories(folder);
  Arena arena = Arena::file(3 << 20, folder);
  EXPECT_TRUE(std::filesystem::is_empty(folder));  // nothing is left behind, whatever happens
  const Tensor first = arena.allocate("a", Dtype::f32, {1000, 3});
  const Tensor second = arena.allocate("b", Dtype::u8, {700'000});
  EXPECT_EQ(first.f32()[2999], 0);
  std::fill_n(first.f32(), 3000, 1.5F);
  std::fill_n(second.u8(), 700'000, std::uint8_t{7});
  for (int repeated = 0; repeated < 2; ++repeated) {
    arena.page_out(first);
    arena.page_out(second);
    EXPECT_EQ(std::count(first.f32(), first.f32() + 3000, 1.5F), 3000);
    EXPECT_EQ(std::count(second.u8(), second.u8() + 700'000, 7), 700'000);
  }
  EXPECT_THROW(Arena::file(std::size_t{1} << 60, folder), MachineError);
  EXPECT_THROW(Arena::file(1, folder / "absent"), MachineError);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  std::filesystem::remove_all(folder);
}

// A device's memory lives as long as the arena over it, wherever that is moved.
TEST(Arena, OverABlockEndsItWithItself) {
  int ended = 0;
  alignas(64) char block[256];
  {
    Arena arena = Arena::over({block, [&](void*) { ++ended; }}, sizeof block);
    const Tensor first = arena.allocate("a", Dtype::u8, {100});
    const Arena moved = std::move(arena);
    EXPECT_EQ(first.data(), block);
    EXPECT_EQ(moved.used(), 128u);
    EXPECT_EQ(ended, 0);
  }
  EXPECT_EQ(ended, 1);
}

TEST(Arena, CountsWhatARealOneUses) {
  const auto use = [](Arena& arena) {
    arena.allocate("weights", Dtype::f32, {100, 3});
    {
      const Arena::Scope scope(arena);
      arena.allocate("activations", Dtype::bf16, {7});
      const Arena::Scope inner(arena);
      arena.allocate("workspace", Dtype::f32, {1000});
    }
    arena.allocate("activations", Dtype::f32, {10});
  };
  Arena counting = Arena::counting();
  use(counting);
  EXPECT_EQ(counting.peak(), 1216U + 64U + 4032U);
  EXPECT_EQ(counting.used(), 1216U + 64U);
  std::size_t total = 0;
  for (const auto& [name, bytes] : counting.at_peak()) {
    total += bytes;
  }
  EXPECT_EQ(total, counting.peak());
  Arena real = Arena::host(counting.peak());
  use(real);
  EXPECT_EQ(real.peak(), counting.peak());
  const Arena::Scope scope(real);
  EXPECT_THROW(real.allocate("too much", Dtype::f32, {1 << 20}), std::logic_error);
}

TEST(Tensor, ViewsShareMemory) {
  Arena arena = Arena::host(4096);
  const Tensor x = arena.allocate("x", Dtype::f32, {4, 3});
  for (int i = 0; i < 12; ++i) {
    x.f32()[i] = static_cast<float>(i);
  }
  EXPECT_EQ(x.rows(1, 3).f32()[0], 3.0F);
  EXPECT_EQ(x.rows(1, 3).reshaped({3, 2}).dim(0), 3);
  EXPECT_THROW(static_cast<void>(x.rows(2, 5)), std::logic_error);
  EXPECT_THROW(static_cast<void>(x.bf16()), std::logic_error);
  EXPECT_EQ(x.describe(), "float32 [4, 3]");
}

}  // namespace
}  // namespace lmpo
