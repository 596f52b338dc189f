// What computes: a processor, its memory, and the ops that run on it. Not thread-safe.
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
  // The arithmetic where none is asked for: float32 on the CPU, bfloat16 on a GPU.
  virtual Dtype usual_compute() const = 0;
  // Ops whose products have factors of this type, float32 or bfloat16; sums are float32 always.
  // UserError where the processor cannot. The device must outlive them.
  virtual std::unique_ptr<Ops> make_ops(Dtype compute) = 0;
  // Memory of the device. Throws MachineError.
  virtual Arena make_arena(std::size_t capacity) = 0;
  // Memory that the ops reach, but that is not the device's own, for what is used once a step: of
  // the CPU a file without a name in `folder`, of a GPU the host's memory. Throws MachineError.
  virtual Arena make_paged_arena(std::size_t capacity, const std::filesystem::path& folder) = 0;
  // Bytes that this process can have in all, what it has already included; of them those that it
  // takes beside arenas and the scratch of its ops (Ops::planned_scratch); and the most it has had
  // so far. Of a GPU without what CUDA took when the device was opened.
  virtual std::size_t available_memory() const = 0;
  virtual std::size_t memory_beside_arenas() const = 0;
  virtual std::size_t peak_memory() const = 0;
};

std::unique_ptr<Device> make_cpu_device();

// Whether this program was built with CUDA; and whether what it calls a GPU is the processor,
// slowly, for tests (cuda/emulation).
bool has_cuda();
bool cuda_is_emulated();
// The GPUs of this machine, by name; none where there is no driver.
std::vector<std::string> cuda_devices();
// Why this program, built with CUDA, finds no GPU to compute on; "" where it finds one, and where
// it was built without.
std::string cuda_trouble();
// Whether "auto" is a GPU: there is one, and not only in name.
bool has_gpu();
// UserError where the program was built without CUDA; MachineError, which says what to do, where
// there is no driver, it is too old for this program, or there is no such device.
std::unique_ptr<Device> make_cuda_device(int index);
// Device::memory_beside_arenas of a GPU that need not be there.
std::size_t cuda_memory_beside_arenas();
// Computes nothing; for planning a run on such a GPU.
std::unique_ptr<Ops> make_cuda_plan_ops(Dtype compute = Dtype::bf16);

// "cpu", "cuda", "cuda:1", or "auto": a GPU where program and machine have one, else the CPU,
// and a line of the log says why. UserError for any other name.
std::unique_ptr<Device> open_device(std::string_view name);

// The arithmetic that an option asks for: "auto", or the name of a type.
Dtype compute_type(const Device& device, std::string_view name);

}  // namespace lmpo
