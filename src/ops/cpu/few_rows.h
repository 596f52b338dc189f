// Products of a few rows with a matrix: what decoding does. They read memory and hardly compute, so
// kernels for blocks, which first rearrange the matrix, are of no use.
#pragma once

#include <cstdint>

#include "tensor/tensor.h"

namespace lmpo::cpu {

// Rows for which reading the matrix takes longer than computing with it.
constexpr std::int64_t kFewRows = 4;

// LinearForward for T <= kFewRows and w float32 or bfloat16. By all threads; sums do not depend on
// their number.
void multiply_few_rows(Tensor y, Tensor x, Tensor w, bool accumulate);

}  // namespace lmpo::cpu
