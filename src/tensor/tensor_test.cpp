#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "tensor/arena.h"

namespace lmpo::tensor_test {
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

// Floats of every sign, exponent and upper mantissa, with lower halves on both sides of a tie, at it
// and beside the numbers that are bfloat16 themselves: all that rounding can depend on.
template <typename Body>
void for_float_halves(const Body& body) {
  for (std::uint32_t upper = 0; upper < 65536; ++upper) {
    for (const std::uint32_t lower : {0U, 1U, 0x1234U, 0x7FFFU, 0x8000U, 0x8001U, 0xFFFFU}) {
      body(std::bit_cast<float>(upper << 16 | lower));
    }
  }
}

// The nearest bfloat16, of two as near the one whose last bit is 0: by distances, in double.
std::uint16_t nearest_bfloat16(float value) {
  const auto below = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16);
  const auto above = static_cast<std::uint16_t>(below + 1);
  // Beyond the largest, infinity stands where the next number would be.
  const auto place = [](std::uint16_t bits) {
    const double number = static_cast<double>(to_float(bfloat16{bits}));
    return std::isinf(number) ? std::copysign(0x1.0p128, number) : number;
  };
  const double to_below = std::abs(static_cast<double>(value) - place(below));
  const double to_above = std::abs(static_cast<double>(value) - place(above));
  return to_below < to_above || (to_below == to_above && below % 2 == 0) ? below : above;
}

TEST(Dtype, EveryRoundingToBfloat16TakesTheNearestAndAtTiesTheEvenOne) {
  for_float_halves([](float value) {
    const SplitFloat split = split_float(value);
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(to_float(to_bfloat16(value))));
      ASSERT_TRUE(std::isnan(to_float(split.high)));
      ASSERT_TRUE(std::isnan(join_float(split)));
    } else if (std::isfinite(value)) {
      ASSERT_EQ(to_bfloat16(value).bits, nearest_bfloat16(value)) << value;
      ASSERT_EQ(split.high.bits, nearest_bfloat16(value)) << value;
    }
  });
}

TEST(Dtype, SplitFloatLosesNothingButOneUnitOfTiesThatRoundDown) {
  for_float_halves([](float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const bool tie_down = bits % 0x20000U == 0x8000U;
    if (!std::isnan(value)) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(join_float(split_float(value))),
                tie_down ? bits - 1 : bits);
    }
  });
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

// Columns of a wider matrix are no row of numbers: only strided_data and row_stride reach them.
TEST(Tensor, ColumnsAreAView) {
  Arena arena = Arena::host(4096);
  const Tensor x = arena.allocate("x", Dtype::f32, {4, 6});
  std::iota(x.f32(), x.f32() + 24, 0.0F);
  const auto at = [](Tensor view, std::int64_t row, std::int64_t column) {
    return static_cast<const float*>(view.strided_data())[row * view.row_stride() + column];
  };
  const Tensor view = x.columns(2, 5);
  EXPECT_EQ(view.describe(), "float32 [4, 3]");
  EXPECT_FALSE(view.is_contiguous());
  EXPECT_EQ(at(view, 3, 1), 21.0F);
  EXPECT_EQ(at(view.rows(1, 3), 1, 0), 14.0F);
  EXPECT_EQ(at(view.columns(1, 3), 1, 1), 10.0F);
  EXPECT_EQ(view.rows(1, 3).row_stride(), 6);
  EXPECT_THROW(static_cast<void>(view.f32()), std::logic_error);
  EXPECT_THROW(static_cast<void>(view.data()), std::logic_error);
  EXPECT_THROW(static_cast<void>(view.reshaped({12})), std::logic_error);
  EXPECT_THROW(static_cast<void>(x.columns(2, 7)), std::logic_error);
  EXPECT_THROW(static_cast<void>(x.reshaped({24}).columns(0, 1)), std::logic_error);

  EXPECT_TRUE(x.columns(0, 6).is_contiguous());
  EXPECT_EQ(x.columns(0, 6).f32(), x.f32());
  EXPECT_EQ(x.row_stride(), 6);
  EXPECT_EQ(Tensor(nullptr, Dtype::f32, {4, 6}).columns(2, 5).strided_data(), nullptr);
}

}  // namespace
}  // namespace lmpo::tensor_test
