// Products for answers: the bits of a row of the result depend on its row of x and on w alone, so
// that requests may be computed together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ops/cpu/product.h"
#include "ops/cpu/row_tile.h"
#include "ops/op_list.h"

namespace lmpo::cpu {

// Those that this processor can run, the fastest first.
std::span<const RowKernels> row_kernels();

// A LinearForward with independent_rows, or with w in 8 bits, by all threads. With bf16 precision x
// and w are rounded, but w in 8 bits is not.
void multiply_independent_rows(const LinearForward& op, Precision precision,
                               const RowKernels& kernels = row_kernels().front());

// Bytes that all threads together keep for what they round.
std::size_t independent_rows_scratch(std::int64_t tokens, std::int64_t in, Precision precision);

}  // namespace lmpo::cpu
