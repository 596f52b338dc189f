#include "ops/cpu/matmul.h"

#include <cblas.h>
#include <dlfcn.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/threads.h"

namespace lmpo::cpu {
namespace {

// Products of fewer multiplications cost less than waking the threads.
constexpr std::int64_t serial_work = 64 * 64 * 64;
// Panels begin at multiples of this, so that the library's own tiles stay whole.
constexpr std::int64_t panel_step = 16;

// Products are summed this many at a time, then the sums: the library adds them one by one, and the
// rounding of a long sum has the same sign in every token of a text that repeats itself. At most
// six percent slower than whole sums, and half their error.
constexpr std::int64_t longest_sum = 128;

int blas_size(std::int64_t size) {
  LMPO_CHECK(size >= 0 && size <= std::numeric_limits<int>::max());
  return static_cast<int>(size);
}

CBLAS_TRANSPOSE blas_transpose(Transpose transpose) {
  return transpose == Transpose::yes ? CblasTrans : CblasNoTrans;
}

std::int64_t panel_size(std::int64_t size, std::int64_t panels) {
  const std::int64_t exact = (size + panels - 1) / panels;
  return (exact + panel_step - 1) / panel_step * panel_step;
}

struct Panels {
  std::int64_t rows;  // of one panel
  std::int64_t columns;
};

// One panel a thread, as close to square as the number of threads allows: a panel reads its rows of
// a and its columns of b.
Panels cut(std::int64_t m, std::int64_t n, std::int64_t count) {
  Panels best{m, panel_size(n, count)};
  for (std::int64_t across = 1; across <= count; ++across) {
    if (count % across == 0) {
      const Panels panels{panel_size(m, count / across), panel_size(n, across)};
      if (panels.rows + panels.columns < best.rows + best.columns) {
        best = panels;
      }
    }
  }
  return best;
}

// c[n] = alpha b[n,k] a[k] + beta c: for one row, several times as fast as the general product,
// which would first rearrange all of b.
void multiply_vector(std::int64_t n, std::int64_t k, float alpha, const float* a, const float* b,
                     std::int64_t ldb, float beta, float* c) {
  if (beta == 0.0F) {  // whether a library's beta 0 reads c differs between versions
    std::fill_n(c, n, 0.0F);
    beta = 1.0F;
  }
  cblas_sgemv(CblasRowMajor, CblasNoTrans, blas_size(n), blas_size(k), alpha, b, blas_size(ldb), a,
              1, beta, c, 1);
}

}  // namespace

void matmul_serial(Transpose ta, Transpose tb, std::int64_t m, std::int64_t n, std::int64_t k,
                   float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                   float beta, float* c, std::int64_t ldc) {
  if (m == 1 && ta == Transpose::no && tb == Transpose::yes) {
    multiply_vector(n, k, alpha, a, b, ldb, beta, c);
    return;
  }
  if (m <= 0 || n <= 0) {
    return;
  }
  for (std::int64_t begin = 0; begin == 0 || begin < k; begin += longest_sum) {
    cblas_sgemm(CblasRowMajor, blas_transpose(ta), blas_transpose(tb), blas_size(m), blas_size(n),
                blas_size(std::min(longest_sum, k - begin)), alpha,
                a + begin * (ta == Transpose::yes ? lda : 1), blas_size(lda),
                b + begin * (tb == Transpose::yes ? 1 : ldb), blas_size(ldb),
                begin == 0 ? beta : 1.0F, c, blas_size(ldc));
  }
}

void matmul(Transpose ta, Transpose tb, std::int64_t m, std::int64_t n, std::int64_t k, float alpha,
            const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
            float* c, std::int64_t ldc) {
  if (threads() == 1 || m * n * k <= serial_work) {
    matmul_serial(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  const Panels panel = cut(m, n, threads());
  const std::int64_t across = (n + panel.columns - 1) / panel.columns;
  const std::int64_t down = (m + panel.rows - 1) / panel.rows;
  parallel_each(across * down, [&](std::int64_t index) {
    const std::int64_t row = index / across * panel.rows;
    const std::int64_t column = index % across * panel.columns;
    matmul_serial(ta, tb, std::min(panel.rows, m - row), std::min(panel.columns, n - column), k,
                  alpha, a + row * (ta == Transpose::yes ? 1 : lda), lda,
                  b + column * (tb == Transpose::yes ? ldb : 1), ldb, beta, c + row * ldc + column,
                  ldc);
  });
}

void keep_blas_serial() {
  // Looked up by name, because only OpenBLAS has it.
  using SetThreads = void (*)(int);
  if (void* symbol = ::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"); symbol != nullptr) {
    reinterpret_cast<SetThreads>(symbol)(1);
  }
}

}  // namespace lmpo::cpu
