#include <cblas.h>
#include <dlfcn.h>

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

}  // namespace

void multiply_by_blas(const Product& p) {
  keep_serial();
  cblas_sgemm(CblasRowMajor, blas_transpose(p.ta), blas_transpose(p.tb), blas_size(p.m),
              blas_size(p.n), blas_size(p.k), p.alpha, p.a, blas_size(p.lda), p.b, blas_size(p.ldb),
              p.beta, p.c, blas_size(p.ldc));
}

}  // namespace lmpo::cpu
