#include <cblas.h>
#include <dlfcn.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "ops/cpu/product.h"

namespace lmpo::cpu {
namespace {

int blas_size(std::int64_t size) {
  LMPO_CHECK(size >= 0 && size <= std::numeric_limits<int>::max());
  return static_cast<int>(size);
}

CBLAS_TRANSPOSE blas_transpose(Transpose transpose) {
  return transpose == Transpose::yes ? CblasTrans : CblasNoTrans;
}

// The library must not start threads of its own beside ours.
void keep_serial() {
  static const bool once = [] {
    // Looked up by name, because only OpenBLAS has it.
    using SetThreads = void (*)(int);
    if (void* symbol = ::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"); symbol != nullptr) {
      reinterpret_cast<SetThreads>(symbol)(1);
    }
    return true;
  }();
  static_cast<void>(once);
}

// c[n] = alpha b[n,k] a[k] + beta c: for one row, several times as fast as the general product,
// which would first rearrange all of b.
void multiply_vector(const Product& p) {
  float beta = p.beta;
  if (beta == 0.0F) {  // whether a library's beta 0 reads c differs between versions
    std::fill_n(p.c, p.n, 0.0F);
    beta = 1.0F;
  }
  cblas_sgemv(CblasRowMajor, CblasNoTrans, blas_size(p.n), blas_size(p.k), p.alpha, p.b,
              blas_size(p.ldb), p.a, 1, beta, p.c, 1);
}

}  // namespace

void multiply_by_blas(const Product& p) {
  keep_serial();
  if (p.m == 1 && p.ta == Transpose::no && p.tb == Transpose::yes) {
    multiply_vector(p);
    return;
  }
  cblas_sgemm(CblasRowMajor, blas_transpose(p.ta), blas_transpose(p.tb), blas_size(p.m),
              blas_size(p.n), blas_size(p.k), p.alpha, p.a, blas_size(p.lda), p.b, blas_size(p.ldb),
              p.beta, p.c, blas_size(p.ldc));
}

}  // namespace lmpo::cpu
