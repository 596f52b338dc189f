// Matrix products over all threads.
#pragma once

#include <cstddef>

#include "ops/cpu/product.h"

namespace lmpo::cpu {

// By the calling thread alone. Sizes may be zero. Rounding to bf16 needs products_in_bf16().
void matmul_serial(const Product& product, Precision precision = Precision::f32);
// The same by all threads, each on a panel of c; the panels depend on the sizes and the number of
// threads alone.
void matmul(const Product& product, Precision precision = Precision::f32);

// Bytes that all threads together keep for the rounded factors of a product [m,k] [k,n]; 0 where
// factors are not rounded.
std::size_t rounded_factors(std::int64_t m, std::int64_t n, std::int64_t k, Precision precision);

// longest_sum of products whose results are compared between texts: at most six percent slower than
// whole sums, and half their error.
constexpr std::int64_t kForwardSum = 128;

// Whether this build and processor can multiply bfloat16.
bool products_in_bf16();

}  // namespace lmpo::cpu
