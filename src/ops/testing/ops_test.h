// What the tests of ops share: tensors on the device under test with what they hold, and
// comparison with the references, in value and in gradient.
#pragma once

#include <cmath>
#include <complex>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>

#include "base/random.h"
#include "ops/testing/device.h"

namespace lmpo::testing {

using Complex = std::complex<double>;

// Host bytes of a tensor, and back.
inline std::vector<char> encode(Dtype dtype, const std::vector<double>& values) {
  std::vector<char> bytes(values.size() * dtype_size(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<float>(values[i]);
    char* place = bytes.data() + i * dtype_size(dtype);
    if (dtype == Dtype::f32) {
      std::memcpy(place, &value, sizeof value);
    } else {
      const std::uint16_t bits =
          dtype == Dtype::bf16 ? to_bfloat16(value).bits : to_float16(value).bits;
      std::memcpy(place, &bits, sizeof bits);
    }
  }
  return bytes;
}

inline std::vector<double> decode(Dtype dtype, const std::vector<char>& bytes) {
  std::vector<double> values(bytes.size() / dtype_size(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const char* place = bytes.data() + i * dtype_size(dtype);
    float value = 0.0F;
    if (dtype == Dtype::f32) {
      std::memcpy(&value, place, sizeof value);
    } else {
      std::uint16_t bits = 0;
      std::memcpy(&bits, place, sizeof bits);
      value = dtype == Dtype::bf16 ? to_float(bfloat16{bits}) : to_float(float16{bits});
    }
    values[i] = static_cast<double>(value);
  }
  return values;
}

// A tensor of the device and its values, rounded as the tensor holds them.
struct Filled {
  Tensor tensor;
  std::vector<double> values;
};

class OpsTest : public ::testing::TestWithParam<OpsCase> {
 protected:
  void SetUp() override {
    device_ = GetParam().device.open();
    if (device_ == nullptr) {
      GTEST_SKIP() << "this machine has no GPU";
    }
    ops_ = device_->make_ops(GetParam().device.compute);
    arena_.emplace(device_->make_arena(std::size_t{1} << 28));
  }

  Ops& ops() { return *ops_; }
  bool reads_indices() const { return GetParam().device.reads_indices; }
  Dtype storage() const { return GetParam().storage; }
  Dtype compute() const { return ops_->compute_dtype(); }

  Tensor upload(Dtype dtype, std::initializer_list<std::int64_t> shape, const void* host) {
    const Tensor tensor = arena_->allocate("test", dtype, shape);
    ops_->upload(tensor, host);
    return tensor;
  }
  Filled filled(Dtype dtype, std::initializer_list<std::int64_t> shape,
                const std::vector<double>& values) {
    const std::vector<char> bytes = encode(dtype, values);
    return {upload(dtype, shape, bytes.data()), decode(dtype, bytes)};
  }
  // Normal with this standard deviation.
  Filled random(Dtype dtype, std::initializer_list<std::int64_t> shape, double deviation = 1.0) {
    std::vector<double> values(static_cast<std::size_t>(Tensor(nullptr, dtype, shape).elements()));
    for (double& value : values) {
      value = deviation * random_.normal();
    }
    return filled(dtype, shape, values);
  }
  // For what an op must overwrite.
  Tensor poisoned(Dtype dtype, std::initializer_list<std::int64_t> shape) {
    const auto count = static_cast<std::size_t>(Tensor(nullptr, dtype, shape).elements());
    return filled(dtype, shape,
                  std::vector<double>(count, std::numeric_limits<double>::quiet_NaN()))
        .tensor;
  }
  Tensor indices(const std::vector<std::int32_t>& values) {
    return upload(Dtype::i32, {static_cast<std::int64_t>(values.size())}, values.data());
  }
  std::int32_t below(std::int64_t bound) {
    return static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(bound)));
  }

  std::vector<double> read(Tensor tensor) {
    std::vector<char> bytes(tensor.bytes());
    ops_->download(bytes.data(), tensor);
    return decode(tensor.dtype(), bytes);
  }

  // Error allowed for numbers of the size of one, by the coarser of the tensor and the arithmetic.
  double tolerance(Dtype dtype) const {
    const auto of = [](Dtype type) {
      return type == Dtype::f32 ? 1e-5 : type == Dtype::f16 ? 4e-3 : 3e-2;
    };
    return std::max(of(dtype), of(compute()));
  }

  void expect_close(Tensor actual, const std::vector<double>& expected, double factor = 1.0) {
    expect_close(read(actual), expected, factor * tolerance(actual.dtype()));
  }
  static void expect_close(const std::vector<double>& actual, const std::vector<double>& expected,
                           double allowed) {
    ASSERT_EQ(actual.size(), expected.size());
    const double size = root_mean_square(expected);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(actual[i], expected[i], allowed * (std::abs(expected[i]) + size) + 1e-30)
          << "at " << i;
    }
  }

  // `actual` = `before` + the gradient at x of sum(seed * function(x)), by the complex step: along
  // directions that each touch one run of elements, the runs together all of them, and at single
  // elements.
  using Function = std::function<std::vector<Complex>(const std::vector<Complex>&)>;
  void expect_gradient(Tensor actual, const std::vector<double>& x, const std::vector<double>& seed,
                       const Function& function, const std::vector<double>& before = {},
                       std::size_t probes = 12) {
    std::vector<double> gradient = read(actual);
    ASSERT_EQ(gradient.size(), x.size());
    const double share = tolerance(actual.dtype());
    const double allowed = share * root_mean_square(gradient);
    for (std::size_t i = 0; i < before.size(); ++i) {
      gradient[i] -= before[i];
    }
    for (std::size_t probe = 0; probe < probes; ++probe) {
      const std::size_t begin = x.size() * probe / probes;
      const std::size_t end = x.size() * (probe + 1) / probes;
      expect_slope(gradient, x, seed, function, begin, end, share, allowed);
      const auto single = static_cast<std::size_t>(below(static_cast<std::int64_t>(x.size())));
      expect_slope(gradient, x, seed, function, single, single + 1, share, allowed);
    }
  }

 private:
  static double root_mean_square(const std::vector<double>& values) {
    double sum = 0.0;
    for (const double value : values) {
      sum += value * value;
    }
    return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(values.size(), 1)));
  }

  // The slope along a random direction within [begin, end): right to `share` of its own size and to
  // `allowed` an element.
  void expect_slope(const std::vector<double>& gradient, const std::vector<double>& x,
                    const std::vector<double>& seed, const Function& function, std::size_t begin,
                    std::size_t end, double share, double allowed) {
    constexpr double kStep = 1e-100;
    std::vector<Complex> point(x.begin(), x.end());
    double actual = 0.0;
    double size = 0.0;
    for (std::size_t i = begin; i < end; ++i) {
      const double direction = random_.normal();
      point[i] += Complex(0.0, kStep * direction);
      actual += gradient[i] * direction;
      size += gradient[i] * direction * gradient[i] * direction;
    }
    const std::vector<Complex> y = function(point);
    ASSERT_EQ(y.size(), seed.size());
    double expected = 0.0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      expected += seed[i] * y[i].imag() / kStep;
    }
    ASSERT_NEAR(actual, expected,
                allowed * std::sqrt(static_cast<double>(end - begin)) + share * std::sqrt(size))
        << "elements " << begin << " to " << end;
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Ops> ops_;
  std::optional<Arena> arena_;
  Random random_{7, 0};
};

}  // namespace lmpo::testing
