// For tests of ops that take columns of a wider tensor.
#pragma once

#include <algorithm>

#include "ops/testing/ops_test.h"

namespace lmpo::testing {

class ColumnsTest : public OpsTest {
 protected:
  static constexpr std::int64_t kBefore = 16;
  static constexpr std::int64_t kAfter = 8;

  struct Wide {
    Filled whole;
    Tensor columns;
  };
  // The same values, with others on both sides.
  Wide widened(const Filled& inner) {
    const std::int64_t rows = inner.tensor.dim(0);
    const std::int64_t columns = inner.tensor.dim(1);
    const std::int64_t width = kBefore + columns + kAfter;
    std::vector<double> values = random(compute(), {rows, width}).values;
    for (std::int64_t t = 0; t < rows; ++t) {
      std::copy_n(inner.values.begin() + t * columns, columns,
                  values.begin() + t * width + kBefore);
    }
    const Filled whole = filled(compute(), {rows, width}, values);
    return {whole, whole.tensor.columns(kBefore, width - kAfter)};
  }
  // The columns as a tensor of their own. What lies beside them must have kept its bits.
  Tensor inner(const Wide& wide) {
    std::vector<double> columns;
    std::vector<double> values = read(wide.whole.tensor);
    const auto width = static_cast<std::size_t>(wide.columns.dim(1));
    for (std::size_t i = kBefore; i < values.size(); i += kBefore + width + kAfter) {
      columns.insert(columns.end(), &values[i], &values[i] + width);
      std::copy_n(&wide.whole.values[i], width, &values[i]);
    }
    EXPECT_EQ(values, wide.whole.values);
    return filled(compute(), {wide.columns.dim(0), wide.columns.dim(1)}, columns).tensor;
  }
};

}  // namespace lmpo::testing
