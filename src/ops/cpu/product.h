// One matrix product by one thread, and the libraries that compute it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lmpo::cpu {

enum class Transpose : std::uint8_t { no, yes };

// How factors are rounded before they are multiplied; sums are float32 always.
enum class Precision : std::uint8_t { f32, bf16 };

// c[m,n] = alpha op(a)[m,k] op(b)[k,n] + beta c, all row-major; lda, ldb and ldc are the distances
// between stored rows. With beta 0, c is not read.
struct Product {
  Transpose ta;
  Transpose tb;
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  float alpha;
  const float* a;
  std::int64_t lda;
  const float* b;
  std::int64_t ldb;
  float beta;
  float* c;
  std::int64_t ldc;
  // Products are summed at most this many at a time, then the sums; 0: all at once. A library adds
  // them one by one, and the rounding of a long sum has the same sign in every token of a text that
  // repeats itself.
  std::int64_t longest_sum = 0;
  bool recurring = false;  // the same sizes come again and again: worth a kernel of their own
};

// Bytes of the factors of a product rounded to bfloat16, each from a new cache line on.
inline std::size_t rounded_bytes(std::int64_t m, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t kLine = 64;
  const auto lines = [](std::int64_t elements) { return (2 * elements + kLine - 1) / kLine; };
  return static_cast<std::size_t>((lines(m * k) + lines(k * n)) * kLine);
}

// By the calling thread alone; m, n and k at least 1.
void multiply_by_blas(const Product& product);
// The same by oneDNN. False, and nothing computed, where it was not built in or cannot do this on
// this processor.
bool multiply_by_onednn(const Product& product, Precision precision);

}  // namespace lmpo::cpu
