// Matrix products, the one place that knows the BLAS library.
#pragma once

#include <cstdint>

namespace lmpo::cpu {

enum class Transpose : std::uint8_t { no, yes };

// c[m,n] = alpha op(a)[m,k] op(b)[k,n] + beta c, all row-major; lda, ldb and ldc are the distances
// between stored rows. With beta 0, c is not read. By the calling thread alone.
void matmul_serial(Transpose ta, Transpose tb, std::int64_t m, std::int64_t n, std::int64_t k,
                   float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                   float beta, float* c, std::int64_t ldc);

// The same by all threads, each on a panel of c; the panels depend on the sizes and the number of
// threads alone.
void matmul(Transpose ta, Transpose tb, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
            const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
            float* c, std::int64_t ldc);

// The BLAS library must not start threads of its own beside ours. Once, before the first product.
void keep_blas_serial();

}  // namespace lmpo::cpu
