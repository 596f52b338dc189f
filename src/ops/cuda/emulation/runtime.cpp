// The functions of CUDA's runtime that the program calls, for a device that is the host. It fails
// where the environment says so (gpu_faults.h).
#include "ops/cuda/emulation/runtime.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "ops/cuda/emulation/toolkit/cuda_runtime.h"
#include "ops/testing/gpu_faults.h"

namespace lmpo::cuda::emulation {
namespace {

constexpr std::size_t kTotalMemory = std::size_t{8} << 30;
// Of a block of memory so much is NaN at first, so that what is read before it was written shows:
// more than tests use, less than an arena is large.
constexpr std::size_t kMarkedBytes = std::size_t{4} << 20;

struct State {
  cudaError_t error = cudaSuccess;  // once a kernel failed, every call does
  testing::GpuFaults launches{"FAILING_DRIVER_LAUNCH"};
  testing::GpuFaults waits{"FAILING_DRIVER_WAIT"};
  std::map<void*, std::size_t> blocks;  // of device memory
  std::size_t in_use = 0;
};

State& state() {
  static State the_state;
  return the_state;
}

}  // namespace

void launch(const std::function<void()>& kernel) {
  State& s = state();
  if (s.error == cudaSuccess) {
    s.error = static_cast<cudaError_t>(s.launches.next());
  }
  if (s.error != cudaSuccess) {
    return;
  }
  try {
    kernel();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "the emulated GPU: %s\n", error.what());
    s.error = cudaErrorLaunchFailure;
  }
}

}  // namespace lmpo::cuda::emulation

using lmpo::cuda::emulation::state;

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  *memory = nullptr;
  if (bytes > lmpo::cuda::emulation::kTotalMemory - state().in_use) {
    return cudaErrorMemoryAllocation;
  }
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (*memory == nullptr) {
    return cudaErrorMemoryAllocation;
  }
  std::memset(*memory, 0xFF, std::min(bytes, lmpo::cuda::emulation::kMarkedBytes));
  state().blocks[*memory] = bytes;
  state().in_use += bytes;
  return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  if (const auto found = state().blocks.find(memory); found != state().blocks.end()) {
    state().in_use -= found->second;
    state().blocks.erase(found);
    std::free(memory);
  }
  return state().error;
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  return *memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  if (state().error == cudaSuccess && bytes > 0) {
    std::memcpy(to, from, bytes);
  }
  return state().error;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t) {
  return cudaMemcpy(to, from, bytes, kind);
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t) {
  if (state().error == cudaSuccess) {
    std::memset(memory, value, bytes);
  }
  return state().error;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = lmpo::cuda::emulation::kTotalMemory;
  *free = *total - state().in_use;
  return state().error;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  return state().error;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) {
  if (state().error == cudaSuccess) {
    state().error = static_cast<cudaError_t>(state().waits.next());
  }
  return state().error;
}

cudaError_t cudaStreamDestroy(cudaStream_t) {
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  return state().error;
}

cudaError_t cudaDriverGetVersion(int* version) {
  const int told = lmpo::testing::gpu_fault("FAILING_DRIVER_VERSION");
  *version = told == 0 ? CUDART_VERSION : told;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (const int code = lmpo::testing::gpu_fault("FAILING_DRIVER_START"); code != 0) {
    return static_cast<cudaError_t>(code);
  }
  int version = 0;
  cudaDriverGetVersion(&version);
  if (version < CUDART_VERSION) {
    return cudaErrorInsufficientDriver;
  }
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible != nullptr && std::string_view(visible) == "-1") {
    return cudaErrorNoDevice;
  }
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) {
  return index == 0 ? state().error : cudaErrorInvalidDevice;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"an emulated GPU", 9, 0};
  return cudaSuccess;
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorECCUncorrectable:
      return "cudaErrorECCUncorrectable";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorSystemDriverMismatch:
      return "cudaErrorSystemDriverMismatch";
  }
  return "an error of another number";
}

const char* cudaGetErrorString(cudaError_t error) {
  return cudaGetErrorName(error);
}
