#include "ops/device.h"

#include <gtest/gtest.h>

namespace lmpo::device_test {
namespace {

// What this process has taken is part of what it can have, and of its peak; what others have is of
// neither. On an emulated GPU, whose memory nobody shares.
TEST(GpuMemory, CountsWhatTheProcessHasTaken) {
  if (!cuda_is_emulated()) {
    GTEST_SKIP() << "other processes may use the GPU of this machine";
  }
  constexpr std::size_t kArena = std::size_t{1} << 20;
  const auto device = make_cuda_device(0);
  const std::size_t before = device->available_memory();
  const auto ops = device->make_ops(Dtype::bf16);
  const Arena arena = device->make_arena(kArena);
  EXPECT_EQ(device->available_memory(), before);
  EXPECT_GE(device->peak_memory(), kArena);
  EXPECT_LE(device->peak_memory(), kArena + device->memory_beside_arenas());
  const auto later = make_cuda_device(0);
  EXPECT_EQ(later->peak_memory(), 0u);
  EXPECT_LE(later->available_memory(), before - kArena);
}

}  // namespace
}  // namespace lmpo::device_test
