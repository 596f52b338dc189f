// A libcuda.so.1 that fails where it is told to; what it does not fail at, the machine's own driver
// does. CUDA's runtime and cuBLASLt, which load the driver by that name, meet it by
// LD_LIBRARY_PATH. What to fail at is in the environment (gpu_faults.h).
#include <cuda.h>
#include <dlfcn.h>

#include <string_view>

#include "ops/testing/gpu_faults.h"

// The header names them by macros, for programs that link with the driver.
#undef cuGetProcAddress

namespace {

lmpo::testing::GpuFaults launch_fault{"FAILING_DRIVER_LAUNCH"};
lmpo::testing::GpuFaults wait_fault{"FAILING_DRIVER_WAIT"};

// Null where this machine has no driver. By whole paths: the name alone would find this library.
void* real_driver() {
  static void* const driver = [] {
    for (const char* path :
         {"/usr/lib/x86_64-linux-gnu/libcuda.so.1", "/usr/lib64/libcuda.so.1",
          "/usr/local/nvidia/lib64/libcuda.so.1", "/usr/local/nvidia/lib/libcuda.so.1"}) {
      if (void* opened = dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
        return opened;
      }
    }
    return static_cast<void*>(nullptr);
  }();
  return driver;
}

template <typename Function>
Function* real(const char* name) {
  return real_driver() == nullptr ? nullptr
                                  : reinterpret_cast<Function*>(dlsym(real_driver(), name));
}

// The driver's function, by whichever of the two ways it was asked for; see cuGetProcAddress.
template <typename Function>
struct Replaced {
  Function* driver = nullptr;
};
Replaced<decltype(cuLaunchKernel)> launch_kernel;
Replaced<decltype(cuLaunchKernelEx)> launch_kernel_ex;
Replaced<decltype(cuStreamSynchronize)> stream_synchronize;

CUresult failing_launch_kernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                               unsigned by, unsigned bz, unsigned shared, CUstream stream,
                               void** parameters, void** extra) {
  const auto fault = static_cast<CUresult>(launch_fault.next());
  return fault != CUDA_SUCCESS
             ? fault
             : launch_kernel.driver(f, gx, gy, gz, bx, by, bz, shared, stream, parameters, extra);
}

CUresult failing_launch_kernel_ex(const CUlaunchConfig* config, CUfunction f, void** parameters,
                                  void** extra) {
  const auto fault = static_cast<CUresult>(launch_fault.next());
  return fault != CUDA_SUCCESS ? fault : launch_kernel_ex.driver(config, f, parameters, extra);
}

CUresult failing_stream_synchronize(CUstream stream) {
  const auto fault = static_cast<CUresult>(wait_fault.next());
  return fault != CUDA_SUCCESS ? fault : stream_synchronize.driver(stream);
}

template <typename Function>
void replace(Replaced<Function>& replaced, Function* by, void** address) {
  replaced.driver = reinterpret_cast<Function*>(*address);
  *address = reinterpret_cast<void*>(by);
}

}  // namespace

extern "C" {

CUresult cuInit(unsigned flags) {
  if (const int code = lmpo::testing::gpu_fault("FAILING_DRIVER_START"); code != 0) {
    return static_cast<CUresult>(code);
  }
  const auto init = real<decltype(cuInit)>("cuInit");
  return init == nullptr ? CUDA_ERROR_NO_DEVICE : init(flags);
}

CUresult cuDriverGetVersion(int* version) {
  const auto get = real<decltype(cuDriverGetVersion)>("cuDriverGetVersion");
  if (const int told = lmpo::testing::gpu_fault("FAILING_DRIVER_VERSION"); told != 0) {
    *version = told;
    return CUDA_SUCCESS;
  }
  *version = CUDA_VERSION;
  return get == nullptr ? CUDA_SUCCESS : get(version);
}

CUresult cuGetProcAddress_v2(const char* name, void** address, int version, cuuint64_t flags,
                             CUdriverProcAddressQueryResult* status) {
  const std::string_view asked(name);
  const auto get = real<decltype(cuGetProcAddress_v2)>("cuGetProcAddress_v2");
  CUresult result = CUDA_ERROR_NOT_FOUND;
  *address = nullptr;
  if (get != nullptr) {
    result = get(name, address, version, flags, status);
  }
  if (asked == "cuInit" || asked == "cuDriverGetVersion" || asked == "cuGetProcAddress") {
    *address = asked == "cuInit"               ? reinterpret_cast<void*>(&cuInit)
               : asked == "cuDriverGetVersion" ? reinterpret_cast<void*>(&cuDriverGetVersion)
                                               : reinterpret_cast<void*>(&cuGetProcAddress_v2);
    result = CUDA_SUCCESS;
  } else if (*address != nullptr && asked == "cuLaunchKernel") {
    replace(launch_kernel, &failing_launch_kernel, address);
  } else if (*address != nullptr && asked == "cuLaunchKernelEx") {
    replace(launch_kernel_ex, &failing_launch_kernel_ex, address);
  } else if (*address != nullptr && asked == "cuStreamSynchronize") {
    replace(stream_synchronize, &failing_stream_synchronize, address);
  }
  if (status != nullptr && result == CUDA_SUCCESS) {
    *status = CU_GET_PROC_ADDRESS_SUCCESS;
  }
  return result;
}

CUresult cuGetProcAddress(const char* name, void** address, int version, cuuint64_t flags) {
  return cuGetProcAddress_v2(name, address, version, flags, nullptr);
}

}  // extern "C"
