// A GPU's threads as fibers of one thread of the host. The threads of a block take turns, and
// change only where they wait for one another, so that barriers and exchanges are real: a kernel
// that forgets one computes something else here too. Blocks run one after another. With
// EMULATED_GPU_ORDER=backward the last block and the last thread go first, and copies to shared
// memory arrive as soon as they are begun, not as late as can be: no result may change.
//
// Not thread-safe: one kernel runs at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>

#include "ops/cuda/emulation/toolkit/cuda_runtime.h"

namespace lmpo::cuda::emulation {

constexpr unsigned kWarpThreads = 32;
constexpr unsigned kMostThreads = 1024;              // of a block
constexpr std::size_t kMostSharedBytes = 163 << 10;  // of a block, on an A100
constexpr std::size_t kMostExchangedBytes = 32;      // by a thread, with its warp

// What a GPU refuses, or what it would not do the same way twice.
class KernelError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// thread() as every thread of every block. Throws KernelError: a launch that is too large, threads
// that wait for others that never come, or what a thread of the kernel threw.
void run_grid(dim3 blocks, unsigned threads, std::size_t shared_bytes,
              const std::function<void()>& thread);

// All functions below are for threads of a kernel.

// Waits for the block's threads that have not ended. True if `mine` is true for any of them.
bool block_barrier(bool mine = false);

// Every lane's bytes, by all lanes of the warp; valid until the lane's next exchange but one.
const std::byte* exchange_bytes(const void* mine, std::size_t bytes);

template <typename T>
std::array<T, kWarpThreads> exchange(const T& mine) {
  static_assert(sizeof(T) <= kMostExchangedBytes);
  const std::byte* all = exchange_bytes(&mine, sizeof mine);
  std::array<T, kWarpThreads> values;
  std::memcpy(values.data(), all, sizeof values);
  return values;
}

unsigned this_lane();

// The block's memory of shared_bytes. A block finds NaN there, not what the last one left.
std::byte* shared_memory();
// The bytes at an address that shared_address gave. Throws KernelError beyond the block's memory
// and where the address is not a multiple of their number.
std::uint32_t shared_address_of(const void* x);
std::byte* shared_at(std::uint32_t address, std::size_t bytes);

// Of 8 rows of 16 bytes that a warp reads at once, those that lie in the banks of another, counted
// since the process began.
void count_bank_conflicts(const std::uint32_t* rows);
std::int64_t bank_conflicts();

// Copies of this thread that are under way.
void start_copy(std::uint32_t to, const void* from, std::size_t bytes, bool is_there);
void end_copy_group();
void wait_for_copies(std::size_t pending);

}  // namespace lmpo::cuda::emulation
