// Products by the definition.
#include <cstring>
#include <vector>

#include "ops/cuda/emulation/runtime.h"
#include "ops/cuda/emulation/toolkit/cublasLt.h"
#include "ops/cuda/emulation/toolkit/cuda_bf16.h"

struct EmulatedBlas {};

struct EmulatedLayout {
  cudaDataType_t type;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t leading;  // elements from column to column

  float at(const void* x, std::int64_t row, std::int64_t column) const {
    const std::int64_t place = column * leading + row;
    return type == CUDA_R_32F ? static_cast<const float*>(x)[place]
                              : __bfloat162float(static_cast<const __nv_bfloat16*>(x)[place]);
  }
  void put(void* x, std::int64_t row, std::int64_t column, float value) const {
    const std::int64_t place = column * leading + row;
    if (type == CUDA_R_32F) {
      static_cast<float*>(x)[place] = value;
    } else {
      static_cast<__nv_bfloat16*>(x)[place] = __float2bfloat16_rn(value);
    }
  }
};

struct EmulatedMatmul {
  bool transposed[2];
};

struct EmulatedPreference {
  std::uint32_t alignment[4];  // of a, b, c, d
};

namespace {

// Whether rows and columns fit: op(a)[m,k] op(b)[k,n] -> d[m,n].
bool fits(const EmulatedMatmul& matmul, const EmulatedLayout& a, const EmulatedLayout& b,
          const EmulatedLayout& d) {
  const auto rows = [&](const EmulatedLayout& x, int i) {
    return matmul.transposed[i] ? x.columns : x.rows;
  };
  const auto columns = [&](const EmulatedLayout& x, int i) {
    return matmul.transposed[i] ? x.rows : x.columns;
  };
  const bool types = a.type == b.type && (d.type == a.type || d.type == CUDA_R_32F);
  return types && rows(a, 0) == d.rows && columns(b, 1) == d.columns && columns(a, 0) == rows(b, 1);
}

bool is_aligned(const void* x, std::uint32_t alignment) {
  return reinterpret_cast<std::uintptr_t>(x) % alignment == 0;
}

// op(x), row after row.
std::vector<float> by_rows(const void* x, const EmulatedLayout& layout, bool transposed) {
  const std::int64_t rows = transposed ? layout.columns : layout.rows;
  const std::int64_t columns = transposed ? layout.rows : layout.columns;
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(rows * columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      values.push_back(transposed ? layout.at(x, column, row) : layout.at(x, row, column));
    }
  }
  return values;
}

void multiply(const EmulatedMatmul& matmul, float alpha, const void* a,
              const EmulatedLayout& a_layout, const void* b, const EmulatedLayout& b_layout,
              float beta, void* d, const EmulatedLayout& d_layout) {
  const std::vector<float> left = by_rows(a, a_layout, matmul.transposed[0]);
  const std::vector<float> right = by_rows(b, b_layout, matmul.transposed[1]);
  const auto columns = static_cast<std::size_t>(d_layout.columns);
  const std::size_t length = right.size() / columns;
  std::vector<float> sums(columns);
  for (std::int64_t row = 0; row < d_layout.rows; ++row) {
    const float* factors = left.data() + static_cast<std::size_t>(row) * length;
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (std::size_t k = 0; k < length; ++k) {
      for (std::size_t column = 0; column < columns; ++column) {
        sums[column] += factors[k] * right[k * columns + column];
      }
    }
    for (std::int64_t column = 0; column < d_layout.columns; ++column) {
      // With a beta of 0 what lies in d is not read: it may be NaN.
      const float before = beta == 0.0F ? 0.0F : beta * d_layout.at(d, row, column);
      d_layout.put(d, row, column, alpha * sums[static_cast<std::size_t>(column)] + before);
    }
  }
}

}  // namespace

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new EmulatedBlas;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

const char* cublasLtGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS         ? "CUBLAS_STATUS_SUCCESS"
         : status == CUBLAS_STATUS_NOT_SUPPORTED ? "CUBLAS_STATUS_NOT_SUPPORTED"
                                                 : "CUBLAS_STATUS_INVALID_VALUE";
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType_t type,
                                          std::uint64_t rows, std::uint64_t columns,
                                          std::int64_t leading) {
  *layout = new EmulatedLayout{type, static_cast<std::int64_t>(rows),
                               static_cast<std::int64_t>(columns), leading};
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete layout;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* matmul, cublasComputeType_t,
                                        cudaDataType_t) {
  *matmul = new EmulatedMatmul{};
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t matmul,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, std::size_t bytes) {
  cublasOperation_t operation = CUBLAS_OP_N;
  if (bytes != sizeof operation) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  std::memcpy(&operation, value, bytes);
  matmul->transposed[attribute - CUBLASLT_MATMUL_DESC_TRANSA] = operation == CUBLAS_OP_T;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t matmul) {
  delete matmul;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = new EmulatedPreference{{256, 256, 256, 256}};  // as cuBLASLt takes for granted
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, std::size_t bytes) {
  if (attribute >= CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES) {
    std::uint32_t& alignment =
        preference->alignment[attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES];
    if (bytes != sizeof alignment) {
      return CUBLAS_STATUS_INVALID_VALUE;
    }
    std::memcpy(&alignment, value, bytes);
  }
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete preference;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t matmul,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int most,
                                              cublasLtMatmulHeuristicResult_t* results,
                                              int* found) {
  *found = 0;
  if (most < 1 || c->type != d->type || !fits(*matmul, *a, *b, *d)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  std::memcpy(results->algo.alignment, preference->alignment, sizeof preference->alignment);
  results->state = CUBLAS_STATUS_SUCCESS;
  *found = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t matmul, const void* alpha,
                              const void* a, cublasLtMatrixLayout_t a_layout, const void* b,
                              cublasLtMatrixLayout_t b_layout, const void* beta, const void* c,
                              cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* algorithm, void*, std::size_t,
                              cudaStream_t) {
  const std::uint32_t* alignment = algorithm->alignment;
  if (c != d || !fits(*matmul, *a_layout, *b_layout, *d_layout) || !is_aligned(a, alignment[0]) ||
      !is_aligned(b, alignment[1]) || !is_aligned(c, alignment[2]) ||
      !is_aligned(d, alignment[3])) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  lmpo::cuda::emulation::launch([&] {
    multiply(*matmul, *static_cast<const float*>(alpha), a, *a_layout, b, *b_layout,
             *static_cast<const float*>(beta), d, *d_layout);
  });
  return CUBLAS_STATUS_SUCCESS;
}
