#include <fmt/format.h>

#include <algorithm>

#include "ops/cuda/cuda_ops.h"
#include "ops/cuda/errors.h"
#include "ops/device.h"

namespace lmpo {
namespace {

// Of the current device, everyone's.
struct DeviceMemory {
  std::size_t free = 0;
  std::size_t total = 0;

  DeviceMemory() { cuda::check(cudaMemGetInfo(&free, &total), "memory information"); }
};

class CudaDevice final : public Device {
 public:
  explicit CudaDevice(int index) {
    const cudaError_t status = cudaSetDevice(index);
    if (status == cudaErrorMemoryAllocation) {
      machine_error(
          "other processes have taken so much of GPU {}'s memory that this one cannot begin "
          "(nvidia-smi lists them); wait for them, or run on another by --device cuda:N",
          index);
    }
    cuda::check(status, fmt::format("device {}", index));
    cudaDeviceProp properties{};
    cuda::check(cudaGetDeviceProperties(&properties, index), "device properties");
    name_ = properties.name;
    taken_at_start_ = in_use();
    if (properties.major < 8) {
      machine_error("{} has compute capability {}.{}; 8.0 or later is needed (A100, H100 and such)",
                    name_, properties.major, properties.minor);
    }
  }

  std::string name() const override { return name_; }
  bool is_cpu() const override { return false; }
  Dtype usual_compute() const override { return Dtype::bf16; }
  std::unique_ptr<Ops> make_ops(Dtype compute) override {
    return std::make_unique<CudaOps>(compute);
  }

  Arena make_arena(std::size_t capacity) override {
    void* block = nullptr;
    const cudaError_t status = cudaMalloc(&block, std::max<std::size_t>(capacity, 1));
    if (status != cudaSuccess) {
      machine_error("{} bytes of {} cannot be had, {} are free: {}", capacity, name_,
                    DeviceMemory().free, cudaGetErrorString(status));
    }
    return Arena::over({block, [](void* memory) { cudaFree(memory); }}, capacity);
  }

  // Pinned, so that kernels read and write it across the bus while they compute.
  Arena make_paged_arena(std::size_t capacity, const std::filesystem::path&) override {
    void* block = nullptr;
    const cudaError_t status =
        cudaHostAlloc(&block, std::max<std::size_t>(capacity, 1), cudaHostAllocDefault);
    if (status != cudaSuccess) {
      machine_error("{} bytes of host memory cannot be pinned for {}: {}", capacity, name_,
                    cudaGetErrorString(status));
    }
    return Arena::over({block, [](void* memory) { cudaFreeHost(memory); }}, capacity);
  }

  std::size_t available_memory() const override { return DeviceMemory().free + own(); }
  std::size_t memory_beside_arenas() const override { return cuda_memory_beside_arenas(); }
  // An arena is taken whole, so what is in use now is what was.
  std::size_t peak_memory() const override { return own(); }

 private:
  static std::size_t in_use() {
    const DeviceMemory memory;
    return memory.total - memory.free;
  }
  // What this process has taken since the device was opened. The context that CUDA itself made for
  // it then cannot be told from what others have: it is not in it, but in the plan, which so asks
  // for a little more than there is need of.
  std::size_t own() const { return in_use() - std::min(in_use(), taken_at_start_); }

  std::string name_;
  std::size_t taken_at_start_ = 0;  // by this process's context and by others
};

}  // namespace

bool has_cuda() {
  return true;
}

bool cuda_is_emulated() {
#ifdef LMPO_EMULATED_GPU
  return true;
#else
  return false;
#endif
}

std::vector<std::string> cuda_devices() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    cudaGetLastError();  // it is told; the next call must not find it
    return {};
  }
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    cuda::check(cudaGetDeviceProperties(&properties, i), "device properties");
    names.emplace_back(properties.name);
  }
  return names;
}

std::string cuda_trouble() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (status == cudaSuccess) {
    return "";
  }
  if (status != cudaErrorInsufficientDriver) {
    return fmt::format("no GPU can be used: {} ({})", cudaGetErrorString(status),
                       cudaGetErrorName(status));
  }
  int driver = 0;
  cudaDriverGetVersion(&driver);
  if (driver == 0) {
    return "there is no NVIDIA driver on this machine";
  }
  return fmt::format(
      "the NVIDIA driver is too old: it knows CUDA {}.{}, this lmpo was built for {}.{}",
      driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
}

std::unique_ptr<Device> make_cuda_device(int index) {
  if (const std::string trouble = cuda_trouble(); !trouble.empty()) {
    machine_error("{}; mend that, or run with --device cpu", trouble);
  }
  int count = 0;
  cuda::check(cudaGetDeviceCount(&count), "number of devices");
  if (index >= count) {
    machine_error(
        "there is no GPU {}: this machine shows {} (from 0; CUDA_VISIBLE_DEVICES={})", index, count,
        std::getenv("CUDA_VISIBLE_DEVICES") == nullptr ? "not set"
                                                       : std::getenv("CUDA_VISIBLE_DEVICES"));
  }
  return std::make_unique<CudaDevice>(index);
}

}  // namespace lmpo
