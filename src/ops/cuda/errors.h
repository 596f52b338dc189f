// CUDA's and cuBLASLt's answers as exceptions.
#pragma once

#include <cuda_runtime.h>

#include "base/error.h"

namespace lmpo::cuda {

// Throws MachineError for anything but success; `what` says what was being done.
inline void check(cudaError_t status, std::string_view what) {
  if (status != cudaSuccess) {
    machine_error("the GPU failed ({}): {} ({})", what, cudaGetErrorString(status),
                  cudaGetErrorName(status));
  }
}

}  // namespace lmpo::cuda
