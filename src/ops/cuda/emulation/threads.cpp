#include "ops/cuda/emulation/threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace lmpo::cuda::emulation {
namespace {

namespace context = boost::context;

constexpr std::size_t kStackBytes = std::size_t{256} << 10;
// Where a block's shared memory begins for the instructions that take 32-bit addresses: not at 0,
// so that an address that was never set is not one.
constexpr std::uint32_t kSharedBegin = 1024;

// Threads that wait for one another. A round ends when all have come.
struct Barrier {
  unsigned round = 0;
  unsigned arrived = 0;
};

struct Copy {
  std::uint32_t to;
  const void* from;
  std::size_t bytes;
  bool is_there;
};

struct Warp {
  Barrier barrier;
  // By the parity of the barrier's round: a lane can be one exchange ahead of another, not two.
  alignas(16) std::byte exchanged[2][kWarpThreads * kMostExchangedBytes];
};

struct Thread {
  context::fiber fiber;
  context::fiber scheduler;
  unsigned index = 0;
  bool has_ended = true;
  const Barrier* waits_for = nullptr;
  unsigned round = 0;                    // that is to pass
  std::vector<Copy> copies;              // of the group that has not ended
  std::deque<std::vector<Copy>> groups;  // that have, the oldest first

  bool can_run() const { return !has_ended && (waits_for == nullptr || waits_for->round != round); }
};

class Block {
 public:
  void run(unsigned threads, std::size_t shared_bytes, bool backward,
           const std::function<void()>& body);

  bool wait(bool mine);
  const std::byte* exchange(const void* mine, std::size_t bytes);
  Thread& current() { return *current_; }
  bool is_backward() const { return is_backward_; }
  std::byte* shared() { return shared_.get(); }
  std::size_t shared_bytes() const { return shared_bytes_; }

 private:
  void start_threads(unsigned count);
  void resume(Thread& thread);
  void fiber_body(Thread& thread);
  void pause(const Barrier& barrier, unsigned round);
  // Whether any thread could.
  bool run_warp(unsigned warp);
  void end_round_if_all_came();

  struct FreeShared {
    void operator()(std::byte* memory) const { std::free(memory); }
  };

  std::vector<std::unique_ptr<Thread>> threads_;  // kept, as their stacks are, for the next block
  std::vector<Warp> warps_;
  Barrier barrier_;
  bool any_[2] = {};  // of the barrier's rounds, by their parity
  unsigned count_ = 0;
  unsigned living_ = 0;
  bool is_backward_ = false;
  Thread* current_ = nullptr;
  const std::function<void()>* body_ = nullptr;
  std::exception_ptr failure_;
  std::unique_ptr<std::byte, FreeShared> shared_{
      static_cast<std::byte*>(std::aligned_alloc(1024, (kMostSharedBytes + 1023) / 1024 * 1024))};
  std::size_t shared_bytes_ = 0;
};

bool goes_backward() {
  const char* order = std::getenv("EMULATED_GPU_ORDER");
  return order != nullptr && std::string_view(order) == "backward";
}

// The i-th of `count` in the order that the environment asks for.
unsigned in_order(unsigned i, unsigned count, bool backward) {
  return backward ? count - 1 - i : i;
}

void Block::start_threads(unsigned count) {
  while (threads_.size() < count) {
    threads_.push_back(std::make_unique<Thread>());
    Thread& thread = *threads_.back();
    thread.index = static_cast<unsigned>(threads_.size()) - 1;
    thread.fiber =
        context::fiber(std::allocator_arg, context::protected_fixedsize_stack(kStackBytes),
                       [this, &thread](context::fiber&& scheduler) {
                         thread.scheduler = std::move(scheduler);
                         while (true) {
                           fiber_body(thread);
                           thread.scheduler = std::move(thread.scheduler).resume();
                         }
                         return std::move(thread.scheduler);
                       });
  }
}

// One kernel's life of a thread.
void Block::fiber_body(Thread& thread) {
  try {
    (*body_)();
    wait_for_copies(0);
  } catch (const context::detail::forced_unwind&) {
    throw;  // the fiber is being destroyed
  } catch (...) {
    failure_ = std::current_exception();
  }
  thread.has_ended = true;
  --living_;
  end_round_if_all_came();
}

void Block::resume(Thread& thread) {
  current_ = &thread;
  threadIdx.x = thread.index;
  thread.waits_for = nullptr;
  thread.fiber = std::move(thread.fiber).resume();
}

void Block::pause(const Barrier& barrier, unsigned round) {
  Thread& thread = *current_;
  thread.waits_for = &barrier;
  thread.round = round;
  thread.scheduler = std::move(thread.scheduler).resume();
}

void Block::end_round_if_all_came() {
  if (living_ > 0 && barrier_.arrived == living_) {
    barrier_.arrived = 0;
    ++barrier_.round;
    any_[(barrier_.round) % 2] = false;
  }
}

bool Block::wait(bool mine) {
  const unsigned round = barrier_.round;
  bool& any = any_[round % 2];
  any |= mine;
  ++barrier_.arrived;
  end_round_if_all_came();
  if (barrier_.round == round) {
    pause(barrier_, round);
  }
  return any;
}

const std::byte* Block::exchange(const void* mine, std::size_t bytes) {
  Warp& warp = warps_[current_->index / kWarpThreads];
  const unsigned round = warp.barrier.round;
  std::byte* all = warp.exchanged[round % 2];
  std::memcpy(all + current_->index % kWarpThreads * bytes, mine, bytes);
  if (++warp.barrier.arrived == kWarpThreads) {
    warp.barrier.arrived = 0;
    ++warp.barrier.round;
  } else {
    pause(warp.barrier, round);
  }
  return all;
}

bool Block::run_warp(unsigned warp) {
  const unsigned begin = warp * kWarpThreads;
  const unsigned lanes = std::min(kWarpThreads, count_ - begin);
  bool could_any = false;
  for (bool could = true; could && failure_ == nullptr;) {
    could = false;
    for (unsigned i = 0; i < lanes && failure_ == nullptr; ++i) {
      Thread& thread = *threads_[begin + in_order(i, lanes, is_backward_)];
      if (thread.can_run()) {
        resume(thread);
        could = could_any = true;
      }
    }
  }
  return could_any;
}

void Block::run(unsigned threads, std::size_t shared_bytes, bool backward,
                const std::function<void()>& body) {
  start_threads(threads);
  count_ = living_ = threads;
  is_backward_ = backward;
  const unsigned warps = (threads + kWarpThreads - 1) / kWarpThreads;
  warps_.assign(warps, Warp{});
  barrier_ = {};
  any_[0] = any_[1] = false;
  body_ = &body;
  failure_ = nullptr;
  shared_bytes_ = shared_bytes;
  std::memset(shared_.get(), 0xFF, shared_bytes);
  for (unsigned i = 0; i < threads; ++i) {
    threads_[i]->has_ended = false;
    threads_[i]->waits_for = nullptr;
    threads_[i]->copies.clear();
    threads_[i]->groups.clear();
  }
  while (living_ > 0 && failure_ == nullptr) {
    bool could_any = false;
    for (unsigned i = 0; i < warps; ++i) {
      could_any |= run_warp(in_order(i, warps, is_backward_));
    }
    if (!could_any && failure_ == nullptr) {
      failure_ = std::make_exception_ptr(KernelError(
          fmt::format("{} of {} threads wait for others that never come", living_, threads)));
    }
  }
  current_ = nullptr;
  if (failure_ != nullptr) {
    threads_.clear();  // those that still wait are taken down with their stacks
    std::rethrow_exception(failure_);
  }
}

std::int64_t conflicts = 0;

Block& block() {
  static auto* const the_block = new Block;  // never destroyed: its threads would be taken down
  return *the_block;
}

void arrive(const Copy& copy) {
  std::byte* to = shared_at(copy.to, copy.bytes);
  if (copy.is_there) {
    std::memcpy(to, copy.from, copy.bytes);
  } else {
    std::memset(to, 0, copy.bytes);
  }
}

}  // namespace

void run_grid(dim3 blocks, unsigned threads, std::size_t shared_bytes,
              const std::function<void()>& thread) {
  if (threads == 0 || threads > kMostThreads || blocks.x == 0 || blocks.y == 0 || blocks.z == 0 ||
      blocks.y > 65535 || blocks.z > 65535 || shared_bytes > kMostSharedBytes) {
    throw KernelError(fmt::format("no GPU runs {} x {} x {} blocks of {} threads and {} bytes",
                                  blocks.x, blocks.y, blocks.z, threads, shared_bytes));
  }
  gridDim = blocks;
  blockDim = dim3(threads);
  const unsigned count = blocks.x * blocks.y * blocks.z;
  const bool backward = goes_backward();
  for (unsigned i = 0; i < count; ++i) {
    const unsigned place = in_order(i, count, backward);
    blockIdx = dim3(place % blocks.x, place / blocks.x % blocks.y, place / blocks.x / blocks.y);
    block().run(threads, shared_bytes, backward, thread);
  }
}

bool block_barrier(bool mine) {
  return block().wait(mine);
}

const std::byte* exchange_bytes(const void* mine, std::size_t bytes) {
  return block().exchange(mine, bytes);
}

unsigned this_lane() {
  return block().current().index % kWarpThreads;
}

std::byte* shared_memory() {
  return block().shared();
}

std::uint32_t shared_address_of(const void* x) {
  return kSharedBegin +
         static_cast<std::uint32_t>(static_cast<const std::byte*>(x) - block().shared());
}

std::byte* shared_at(std::uint32_t address, std::size_t bytes) {
  if (address < kSharedBegin || address - kSharedBegin + bytes > block().shared_bytes() ||
      address % bytes != 0) {
    throw KernelError(fmt::format("{} bytes at {} of {} bytes of shared memory", bytes,
                                  static_cast<std::int64_t>(address) - kSharedBegin,
                                  block().shared_bytes()));
  }
  return block().shared() + (address - kSharedBegin);
}

void count_bank_conflicts(const std::uint32_t* rows) {
  std::uint32_t taken = 0;  // of the 8 groups of banks, 16 bytes wide
  for (int i = 0; i < 8; ++i) {
    const std::uint32_t group = 1U << (rows[i] / 16 % 8);
    conflicts += (taken & group) != 0 ? 1 : 0;
    taken |= group;
  }
}

std::int64_t bank_conflicts() {
  return conflicts;
}

void start_copy(std::uint32_t to, const void* from, std::size_t bytes, bool is_there) {
  shared_at(to, bytes);
  if (reinterpret_cast<std::uintptr_t>(from) % bytes != 0) {
    throw KernelError(
        fmt::format("{} bytes are copied from an address that is no multiple", bytes));
  }
  const Copy copy{to, from, bytes, is_there};
  if (block().is_backward()) {
    arrive(copy);
  } else {
    block().current().copies.push_back(copy);
  }
}

void end_copy_group() {
  Thread& thread = block().current();
  thread.groups.push_back(std::exchange(thread.copies, {}));
}

void wait_for_copies(std::size_t pending) {
  Thread& thread = block().current();
  for (; thread.groups.size() > pending; thread.groups.pop_front()) {
    std::ranges::for_each(thread.groups.front(), arrive);
  }
}

}  // namespace lmpo::cuda::emulation
