#include "io/finite.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/testing/test_folder.h"
#include "base/threads.h"

namespace lmpo::finite_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class Finite : public FolderTest {
 protected:
  static std::string message_of(const std::function<void()>& body) {
    try {
      body();
    } catch (const UserError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(Finite, CountsByTheBitsOfEveryType) {
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 1000U}) {
    std::vector<float> values(size, -std::numeric_limits<float>::max());
    std::int64_t expected = 0;
    for (std::size_t i = 0; i < size; i += 7, ++expected) {
      values[i] = i % 2 == 0 ? std::nanf("") : i % 3 == 0 ? kInfinity : -kInfinity;
    }
    EXPECT_EQ(count_not_finite(values), expected) << size;
  }
  // Every 16-bit number, by its conversion to float32.
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<std::uint16_t>(i);
  }
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16}) {
    std::int64_t expected = 0;
    for (const std::uint16_t bits : all) {
      expected +=
          std::isfinite(dtype == Dtype::bf16 ? to_float(bfloat16{bits}) : to_float(float16{bits}))
              ? 0
              : 1;
    }
    set_threads(3);
    EXPECT_EQ(count_not_finite(TensorView{.name = "x",
                                          .source = "",
                                          .dtype = dtype,
                                          .shape = {65536},
                                          .bytes = std::as_bytes(std::span(all))}),
              expected);
  }
}

TEST_F(Finite, TensorsAreNamedWithTheirNumbers) {
  std::vector<float> good(10, 1);
  std::vector<float> bad(200'000, 0);
  bad[0] = kInfinity;
  bad[150'000] = std::nanf("");
  std::vector<TensorSource> tensors = {
      tensor_from_memory("good", Dtype::f32, {10}, good.data()),
      tensor_from_memory("bad", Dtype::f32, {2, 100'000}, bad.data())};
  write_checkpoint(folder_, tensors, 1 << 30);
  const std::string one = message_of([&] { require_finite(Checkpoint::open(folder_)); });
  EXPECT_THAT(one, HasSubstr(folder_.string()));
  EXPECT_THAT(one, HasSubstr("bad (2 of 200000)"));
  EXPECT_THAT(one, Not(HasSubstr("good")));
  // Where it is read in pieces, what was read decides; then all are named.
  const Checkpoint checkpoint = Checkpoint::open(folder_);
  std::vector<float> piece(1000);
  EXPECT_EQ(message_of([&] { read_finite(checkpoint, checkpoint.tensor("bad"), 1, piece); }), "");
  EXPECT_EQ(message_of([&] { read_finite(checkpoint, checkpoint.tensor("bad"), 149'999, piece); }),
            one);
  for (const char* name : {"c", "d", "e", "f", "g"}) {
    tensors.push_back(tensor_from_memory(name, Dtype::f32, {200'000}, bad.data()));
  }
  write_checkpoint(folder_, tensors, 1 << 30);
  const std::string many = message_of([&] { require_finite(Checkpoint::open(folder_)); });
  EXPECT_THAT(many, HasSubstr("6 tensors hold values that are NaN or infinite: bad (2 of 200000), "
                              "c (2 of 200000)"));
  EXPECT_THAT(many, HasSubstr("f (2 of 200000), ..."));
  EXPECT_THAT(many, Not(HasSubstr("g (")));
}

}  // namespace
}  // namespace lmpo::finite_test
