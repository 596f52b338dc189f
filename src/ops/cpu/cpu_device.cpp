#include "base/machine_memory.h"
#include "base/threads.h"
#include "ops/device.h"

namespace lmpo {
namespace {

// Kernels and buffers of the matrix library for each thread, stacks, and pieces of files in flight.
// Measured once; it is small beside any model.
constexpr std::size_t kPerThread = 22'000'000;
constexpr std::size_t kFiles = 12'000'000;

class CpuDevice final : public Device {
 public:
  std::string name() const override { return "cpu"; }
  bool is_cpu() const override { return true; }
  Dtype usual_compute() const override { return Dtype::f32; }
  std::unique_ptr<Ops> make_ops(Dtype compute) override { return make_cpu_ops(compute); }
  Arena make_arena(std::size_t capacity) override { return Arena::host(capacity); }
  Arena make_paged_arena(std::size_t capacity, const std::filesystem::path& folder) override {
    return Arena::file(capacity, folder);
  }
  std::size_t available_memory() const override {
    return lmpo::available_memory() + resident_memory();
  }
  std::size_t memory_beside_arenas() const override {
    return resident_memory() + kFiles + kPerThread * static_cast<std::size_t>(threads());
  }
  std::size_t peak_memory() const override { return peak_resident_memory(); }
};

}  // namespace

std::unique_ptr<Device> make_cpu_device() {
  return std::make_unique<CpuDevice>();
}

}  // namespace lmpo
