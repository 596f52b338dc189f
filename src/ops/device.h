// A processor, its memory, and the ops that run on it. Not thread-safe.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo {

class Device {
 public:
  virtual ~Device() = default;

  virtual std::string name() const = 0;  // "cpu", "NVIDIA H100 80GB HBM3"
  virtual bool is_cpu() const = 0;
  // The default arithmetic: float32 on the CPU, bfloat16 on a GPU.
  virtual Dtype usual_compute() const = 0;
  // Ops whose products have factors of this type, float32 or bfloat16; sums are always float32.
  // UserError if the processor cannot. The device must outlive them.
  virtual std::unique_ptr<Ops> make_ops(Dtype compute) = 0;
  // Memory of the device. Throws MachineError.
  virtual Arena make_arena(std::size_t capacity) = 0;
  // Slower memory for what is used once a step: for the CPU an unlinked file in `folder`, for a GPU
  // memory of the host. Ops reach it as any other. Throws MachineError.
  virtual Arena make_paged_arena(std::size_t capacity, const std::filesystem::path& folder) = 0;
  // Bytes of memory, of a GPU without those that CUDA took when the device was opened: what this
  // process may use in total, what it has already included;
  virtual std::size_t available_memory() const = 0;
  // what it uses beside arenas and the scratch of its ops (Ops::planned_scratch);
  virtual std::size_t memory_beside_arenas() const = 0;
  // and the most that it has used so far.
  virtual std::size_t peak_memory() const = 0;
};

std::unique_ptr<Device> make_cpu_device();

// Whether this program was built with CUDA, or with an emulated GPU for tests (cuda/emulation).
bool has_cuda();
// Whether the GPU is an emulated one.
bool cuda_is_emulated();
// The names of this machine's GPUs; none if there is no driver.
std::vector<std::string> cuda_devices();
// Why this program, built with CUDA, finds no GPU; "" if it finds one or was built without CUDA.
std::string cuda_trouble();
// Whether "auto" is a GPU: there is one, and it is not emulated.
bool has_gpu();
// UserError if the program was built without CUDA. MachineError, which says what to do, if there is
// no driver, the driver is too old for this program, or there is no such device.
std::unique_ptr<Device> make_cuda_device(int index);
// Device::memory_beside_arenas of a GPU, whether or not this machine has one.
std::size_t cuda_memory_beside_arenas();
// Computes nothing; for planning a run on a GPU, whether or not this machine has one.
std::unique_ptr<Ops> make_cuda_plan_ops(Dtype compute = Dtype::bf16);

// "cpu", "cuda", "cuda:1", or "auto": a GPU if program and machine have one, else the CPU, with a
// line in the log that says why. UserError for any other name.
std::unique_ptr<Device> open_device(std::string_view name);

// The arithmetic that an option asks for: "auto" for the device's default, or the name of a type.
Dtype compute_type(const Device& device, std::string_view name);

}  // namespace lmpo
