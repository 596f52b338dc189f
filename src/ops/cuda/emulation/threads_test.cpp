// The emulated GPU itself: a kernel that is wrong on a GPU must be wrong here.
#include "ops/cuda/emulation/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "ops/device.h"
#include "ops/testing/heads.h"

namespace lmpo::cuda::emulation {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

// What run_grid says of a kernel that it refuses; "" where it does not.
std::string refusal(unsigned threads, std::size_t shared_bytes, const std::function<void()>& body) {
  try {
    run_grid(dim3(1), threads, shared_bytes, body);
  } catch (const KernelError& error) {
    return error.what();
  }
  return "";
}

TEST(EmulatedGpu, RunsEveryThreadOfEveryBlockOnce) {
  std::vector<int> times(std::size_t{3} * 2 * 70);
  run_grid(dim3(3, 2), 70, 0,
           [&] { ++times[(blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x]; });
  EXPECT_THAT(times, Each(1));
}

TEST(EmulatedGpu, ABarrierShowsWhatOthersWroteBeforeIt) {
  std::vector<int> written(96);
  std::vector<int> sums(96);
  run_grid(dim3(1), 96, 0, [&] {
    written[threadIdx.x] = static_cast<int>(threadIdx.x);
    block_barrier();
    sums[threadIdx.x] = std::accumulate(written.begin(), written.end(), 0);
    block_barrier();
    written[threadIdx.x] = 0;
  });
  EXPECT_THAT(sums, Each(96 * 95 / 2));
}

// Without the barrier a thread sees what ran before it only: what a test of a kernel would notice.
TEST(EmulatedGpu, AForgottenBarrierShows) {
  std::vector<int> sums[2] = {std::vector<int>(64), std::vector<int>(64)};
  for (std::vector<int>& sum : sums) {
    std::vector<int> written(64);
    ::setenv("EMULATED_GPU_ORDER", &sum == sums ? "forward" : "backward", 1);
    run_grid(dim3(1), 64, 0, [&] {
      written[threadIdx.x] = 1;
      sum[threadIdx.x] = std::accumulate(written.begin(), written.end(), 0);
    });
  }
  ::unsetenv("EMULATED_GPU_ORDER");
  EXPECT_EQ(sums[0].front(), 1);
  EXPECT_EQ(sums[1].front(), 64);
}

TEST(EmulatedGpu, ABarrierTellsWhetherAnyThreadSaidSo) {
  std::vector<int> seen(64);
  run_grid(dim3(1), 64, 0, [&] {
    const bool first = block_barrier(threadIdx.x == 50);
    const bool second = block_barrier(false);
    const bool third = block_barrier(threadIdx.x == 0);
    seen[threadIdx.x] = first * 4 + second * 2 + third;
  });
  EXPECT_THAT(seen, Each(5));
}

TEST(EmulatedGpu, ThreadsThatEndedAreNotWaitedForByABlock) {
  int after = 0;
  run_grid(dim3(1), 64, 0, [&] {
    if (threadIdx.x < 40) {
      return;
    }
    block_barrier();
    ++after;
  });
  EXPECT_EQ(after, 24);
}

TEST(EmulatedGpu, LanesOfAWarpExchangeAndWarpsDoNot) {
  std::vector<unsigned> got(64);
  run_grid(dim3(1), 64, 0, [&] {
    for (unsigned round = 0; round < 5; ++round) {
      const auto all = exchange(threadIdx.x * 10 + round);
      got[threadIdx.x] = all[31 - this_lane()];
    }
  });
  for (unsigned i = 0; i < 64; ++i) {
    EXPECT_EQ(got[i], (i / 32 * 32 + 31 - i % 32) * 10 + 4);
  }
}

TEST(EmulatedGpu, RefusesThreadsThatWaitForOthersThatNeverCome) {
  EXPECT_THAT(refusal(64, 0,
                      [] {
                        if (threadIdx.x % 2 == 0) {
                          exchange(1);
                        }
                      }),
              HasSubstr("32 of 64 threads wait for others that never come"));
  // Some at a warp's exchange, the others at the block's barrier.
  EXPECT_THAT(refusal(32, 0,
                      [] {
                        if (threadIdx.x == 0) {
                          block_barrier();
                        } else {
                          exchange(1);
                        }
                      }),
              HasSubstr("32 of 32 threads"));
  // A kernel runs after it all the same.
  EXPECT_EQ(refusal(64, 0, [] { block_barrier(); }), "");
}

TEST(EmulatedGpu, RefusesWhatNoGpuLaunches) {
  EXPECT_NE(refusal(1025, 0, [] {}), "");
  EXPECT_NE(refusal(32, kMostSharedBytes + 1, [] {}), "");
  EXPECT_THROW(run_grid(dim3(1, 65536), 32, 0, [] {}), KernelError);
  EXPECT_THROW(run_grid(dim3(0), 32, 0, [] {}), KernelError);
}

TEST(EmulatedGpu, SharedMemoryHasBounds) {
  const auto touch = [](std::size_t offset, std::size_t bytes) {
    return refusal(1, 256, [=] {
      shared_at(shared_address_of(shared_memory()) + static_cast<std::uint32_t>(offset), bytes);
    });
  };
  EXPECT_EQ(touch(240, 16), "");
  EXPECT_THAT(touch(256, 16), HasSubstr("16 bytes at 256 of 256"));
  EXPECT_NE(touch(8, 16), "") << "not a multiple";
  EXPECT_NE(refusal(1, 256, [] { shared_at(0, 16); }), "") << "an address that was never set";
}

TEST(EmulatedGpu, ABlockDoesNotFindWhatTheLastOneLeft) {
  std::vector<int> found;
  run_grid(dim3(2), 1, 64, [&] {
    found.push_back(std::to_integer<int>(shared_memory()[7]));
    shared_memory()[7] = std::byte{1};
  });
  EXPECT_THAT(found, Each(0xFF));
}

// Copies arrive as late as they can, when they are waited for, oldest group first; or as early.
TEST(EmulatedGpu, CopiesArriveWhenTheyAreWaitedForOrAtOnce) {
  alignas(16) const float from[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> seen;
  const auto body = [&] {
    const auto* shared = reinterpret_cast<const float*>(shared_memory());
    const std::uint32_t begin = shared_address_of(shared);
    start_copy(begin, from, 16, true);
    end_copy_group();
    start_copy(begin + 16, from + 4, 16, true);
    start_copy(begin + 32, from, 16, false);
    end_copy_group();
    for (std::size_t pending = 3; pending-- > 0;) {
      wait_for_copies(pending);
      seen.insert(seen.end(), {shared[0], shared[4], shared[8]});
    }
  };
  run_grid(dim3(1), 1, 64, body);
  const auto is_nan = [](float x) { return x != x; };
  EXPECT_TRUE(is_nan(seen[0]) && is_nan(seen[1]) && is_nan(seen[2]));
  EXPECT_EQ(seen[3], 1.0F);
  EXPECT_TRUE(is_nan(seen[4]) && is_nan(seen[5]));
  EXPECT_EQ(seen[7], 5.0F);
  EXPECT_EQ(seen[8], 0.0F);

  seen.clear();
  ::setenv("EMULATED_GPU_ORDER", "backward", 1);
  run_grid(dim3(1), 1, 64, body);
  ::unsetenv("EMULATED_GPU_ORDER");
  EXPECT_EQ(seen[0], 1.0F);
  EXPECT_EQ(seen[1], 5.0F);
  EXPECT_EQ(seen[2], 0.0F);
  EXPECT_NE(
      refusal(1, 64, [&] { start_copy(shared_address_of(shared_memory()), from + 1, 16, true); }),
      "");
}

TEST(EmulatedGpu, CountsBankConflicts) {
  const auto conflicts_of = [](std::uint32_t stride) {
    std::uint32_t rows[8];
    for (std::uint32_t i = 0; i < 8; ++i) {
      rows[i] = 1024 + i * stride;
    }
    const std::int64_t before = bank_conflicts();
    count_bank_conflicts(rows);
    return bank_conflicts() - before;
  };
  EXPECT_EQ(conflicts_of(16), 0);
  EXPECT_EQ(conflicts_of(128), 7);
  EXPECT_EQ(conflicts_of(64), 6);
  EXPECT_EQ(conflicts_of(144), 0);
}

// SharedTile places its rows' pieces for that.
TEST(EmulatedGpu, AttentionReadsItsTilesWithoutBankConflicts) {
  const std::unique_ptr<Device> gpu = make_cuda_device(0);
  const std::unique_ptr<Ops> ops = gpu->make_ops(Dtype::bf16);
  Arena arena = gpu->make_arena(std::size_t{1} << 24);
  const auto make = [&](Dtype dtype, std::initializer_list<std::int64_t> shape) {
    const Tensor tensor = arena.allocate("test", dtype, shape);
    ops->run(Zero{.x = tensor});
    return tensor;
  };
  for (const std::int64_t size : {64, 80, 96, 128, 256}) {
    const AttentionShape shape = testing::heads(4, 2, size);
    const std::vector<Pack::Segment> segments{{0, 100, 0, 0}, {100, 150, 0, 100}};
    const Tensor positions = make(Dtype::i32, {150});
    const Tensor qkv = make(Dtype::bf16, {150, 8 * size});
    const Tensor out = make(Dtype::bf16, {150, 4 * size});
    const Tensor lse = make(Dtype::f32, {4, 150});
    const std::int64_t before = bank_conflicts();
    ops->run(AttentionForward{.out = out,
                              .lse = lse,
                              .qkv = qkv,
                              .positions = positions,
                              .segments = segments,
                              .shape = shape});
    ops->run(AttentionBackward{.dqkv = make(Dtype::bf16, {150, 8 * size}),
                               .dout = out,
                               .out = out,
                               .lse = lse,
                               .qkv = qkv,
                               .positions = positions,
                               .segments = segments,
                               .shape = shape,
                               .scratch = make(Dtype::f32, {4, 150})});
    EXPECT_EQ(bank_conflicts(), before) << "head size " << size;
  }
}

}  // namespace
}  // namespace lmpo::cuda::emulation
