// Failures of a GPU that the environment asks for, read by who plays one in tests: the driver in
// src/cli/testing/failing_driver, and the emulated GPU. By variable:
//   FAILING_DRIVER_VERSION=12040    the CUDA that it says to know: 12.4
//   FAILING_DRIVER_START=CODE       the result of initialising it
//   FAILING_DRIVER_LAUNCH=N:CODE    of the launches of kernels that follow the first N
//   FAILING_DRIVER_WAIT=N:CODE      of the waits for a stream that follow the first N: how an error
//                                   inside a kernel comes out
// CODE is a number of CUresult, which cudaError_t shares.
#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace lmpo::testing {

// 0 where the variable is not set.
inline int gpu_fault(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoi(text);
}

// Of calls that are counted.
struct GpuFaults {
  const char* variable;
  std::atomic<long> calls = 0;

  // The code of one more call; 0: it is not to fail.
  int next() {
    const char* text = std::getenv(variable);
    long first = 0;
    int code = 0;
    if (text == nullptr || std::sscanf(text, "%ld:%d", &first, &code) != 2 || calls++ < first) {
      return 0;
    }
    return code;
  }
};

}  // namespace lmpo::testing
