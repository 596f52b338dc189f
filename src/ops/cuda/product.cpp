#include "ops/cuda/product.h"

#include <bit>
#include <memory>

#include "ops/cuda/errors.h"

namespace lmpo::cuda {
namespace {

void check_blas(cublasStatus_t status, const Product& p) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    machine_error("the GPU's matrix product [{}, {}] x [{}, {}] failed: {}", p.m, p.k, p.k, p.n,
                  cublasLtGetStatusString(status));
  }
}

cudaDataType_t data_type(Dtype dtype) {
  return dtype == Dtype::f32 ? CUDA_R_32F : CUDA_R_16BF;
}

// The largest power of two that divides an address, up to what every arena gives: beyond that,
// where a tensor happens to lie must not choose the algorithm, or a run's bits would depend on its
// layout.
std::uint32_t alignment(const void* x) {
  const auto address = reinterpret_cast<std::uintptr_t>(x) | 64U;
  return 1U << std::countr_zero(address);
}

// Packs differ in tokens, so a long run sees ever new shapes.
constexpr std::size_t kMostPlans = 4096;

template <typename T>
using Owned = std::unique_ptr<std::remove_pointer_t<T>, cublasStatus_t (*)(T)>;

Owned<cublasLtMatrixLayout_t> make_layout(const Product& p, const Matrix& x, std::int64_t rows,
                                          std::int64_t columns) {
  // cuBLAS is column-major: a row-major matrix is its transpose.
  cublasLtMatrixLayout_t layout = nullptr;
  check_blas(
      cublasLtMatrixLayoutCreate(&layout, data_type(x.dtype), static_cast<std::uint64_t>(columns),
                                 static_cast<std::uint64_t>(rows), x.stride),
      p);
  return {layout, &cublasLtMatrixLayoutDestroy};
}

}  // namespace

struct Multiplier::Plan {
  Owned<cublasLtMatmulDesc_t> operation;
  Owned<cublasLtMatrixLayout_t> a;
  Owned<cublasLtMatrixLayout_t> b;
  Owned<cublasLtMatrixLayout_t> c;
  cublasLtMatmulAlgo_t algorithm;
};

Multiplier::Multiplier(cudaStream_t stream, void* scratch, std::size_t bytes)
    : stream_(stream), scratch_(scratch), scratch_bytes_(bytes) {
  if (const cublasStatus_t status = cublasLtCreate(&handle_); status != CUBLAS_STATUS_SUCCESS) {
    machine_error("cuBLASLt cannot be used: {}", cublasLtGetStatusString(status));
  }
}

Multiplier::~Multiplier() {
  cublasLtDestroy(handle_);
}

const Multiplier::Plan& Multiplier::plan_for(const Product& p) {
  const Key key(p.ta == Transpose::yes, p.tb == Transpose::yes, p.m, p.n, p.k, p.a.dtype, p.c.dtype,
                p.a.stride, p.b.stride, p.c.stride, alignment(p.a.data), alignment(p.b.data),
                alignment(p.c.data));
  if (const auto found = plans_.find(key); found != plans_.end()) {
    return found->second;
  }
  cublasLtMatmulDesc_t operation = nullptr;
  check_blas(cublasLtMatmulDescCreate(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F), p);
  // c^T = op(b)^T op(a)^T: the factors change places.
  const bool a_is_transposed = p.ta == Transpose::yes;
  const bool b_is_transposed = p.tb == Transpose::yes;
  Plan plan{{operation, &cublasLtMatmulDescDestroy},
            make_layout(p, p.b, b_is_transposed ? p.n : p.k, b_is_transposed ? p.k : p.n),
            make_layout(p, p.a, a_is_transposed ? p.k : p.m, a_is_transposed ? p.m : p.k),
            make_layout(p, p.c, p.m, p.n),
            {}};
  const auto set_transpose = [&](cublasLtMatmulDescAttributes_t attribute, bool transposed) {
    const cublasOperation_t value = transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    check_blas(cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value), p);
  };
  set_transpose(CUBLASLT_MATMUL_DESC_TRANSA, b_is_transposed);
  set_transpose(CUBLASLT_MATMUL_DESC_TRANSB, a_is_transposed);

  cublasLtMatmulPreference_t raw = nullptr;
  check_blas(cublasLtMatmulPreferenceCreate(&raw), p);
  const Owned<cublasLtMatmulPreference_t> preference(raw, &cublasLtMatmulPreferenceDestroy);
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
    check_blas(cublasLtMatmulPreferenceSetAttribute(raw, attribute, &value, sizeof value), p);
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(scratch_bytes_));
  prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
         static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment(p.b.data));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment(p.a.data));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment(p.c.data));
  prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment(p.c.data));
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  check_blas(cublasLtMatmulAlgoGetHeuristic(handle_, operation, plan.a.get(), plan.b.get(),
                                            plan.c.get(), plan.c.get(), raw, 1, &result, &found),
             p);
  check_blas(found == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : result.state, p);
  plan.algorithm = result.algo;
  if (plans_.size() >= kMostPlans) {
    plans_.clear();
  }
  return plans_.emplace(key, std::move(plan)).first->second;
}

void Multiplier::multiply(const Product& p) {
  const Plan& plan = plan_for(p);
  const float alpha = 1.0F;
  const float beta = p.accumulate ? 1.0F : 0.0F;
  check_blas(cublasLtMatmul(handle_, plan.operation.get(), &alpha, p.b.data, plan.a.get(), p.a.data,
                            plan.b.get(), &beta, p.c.data, plan.c.get(), p.c.data, plan.c.get(),
                            &plan.algorithm, scratch_, scratch_bytes_, stream_),
             p);
}

}  // namespace lmpo::cuda
