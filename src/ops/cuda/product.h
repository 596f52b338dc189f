// Matrix products by cuBLASLt.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <map>
#include <tuple>

#include "ops/cuda/kernels.h"

namespace lmpo::cuda {

enum class Transpose : std::uint8_t { no, yes };

// c[m,n] = op(a)[m,k] op(b)[k,n], or += with accumulate, all row-major. a and b are of one type,
// float32 or bfloat16, c of that type or float32; sums are float32.
struct Product {
  Transpose ta;
  Transpose tb;
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  Matrix a;
  Matrix b;
  Matrix c;
  bool accumulate;
};

// Keeps, for every shape it has seen, the algorithm that cuBLASLt's heuristic names first: never
// the one that was fastest in a trial, so that a run's bits do not depend on timing. Not
// thread-safe.
class Multiplier {
 public:
  // `scratch` is device memory of so many bytes that products on the stream may use.
  Multiplier(cudaStream_t stream, void* scratch, std::size_t bytes);
  ~Multiplier();
  Multiplier(const Multiplier&) = delete;
  Multiplier& operator=(const Multiplier&) = delete;

  // Throws MachineError.
  void multiply(const Product& product);

 private:
  struct Plan;
  // Transposes, sizes, types, strides and alignments.
  using Key =
      std::tuple<bool, bool, std::int64_t, std::int64_t, std::int64_t, Dtype, Dtype, std::int64_t,
                 std::int64_t, std::int64_t, std::uint32_t, std::uint32_t, std::uint32_t>;

  const Plan& plan_for(const Product& product);

  cudaStream_t stream_;
  void* scratch_;
  std::size_t scratch_bytes_;
  cublasLtHandle_t handle_ = nullptr;
  std::map<Key, Plan> plans_;
};

}  // namespace lmpo::cuda
