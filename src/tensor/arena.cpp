#include "tensor/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace lmpo {
namespace {
constexpr std::size_t alignment = 64;
}

Arena Arena::counting() {
  return {};
}

Arena Arena::host(std::size_t capacity) {
  Arena arena;
  arena.capacity_ = std::max(capacity, alignment);
  void* block = ::mmap(nullptr, arena.capacity_, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block == MAP_FAILED) {
    machine_error("{} bytes of memory cannot be reserved: {}", arena.capacity_,
                  std::strerror(errno));
  }
  ::madvise(block, arena.capacity_, MADV_HUGEPAGE);
  arena.base_ = static_cast<char*>(block);
  return arena;
}

Arena::~Arena() {
  if (base_ != nullptr) {
    ::munmap(base_, capacity_);
  }
}

Arena::Arena(Arena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      capacity_(other.capacity_),
      top_(other.top_),
      peak_(other.peak_),
      blocks_(std::move(other.blocks_)),
      groups_(std::move(other.groups_)),
      at_peak_(std::move(other.at_peak_)) {}

Tensor Arena::allocate(std::string_view name, Dtype dtype,
                       std::initializer_list<std::int64_t> shape) {
  const Tensor sized(nullptr, dtype, shape);
  const std::size_t size = (sized.bytes() + alignment - 1) / alignment * alignment;
  const std::size_t begin = top_;
  LMPO_CHECK(base_ == nullptr || begin + size <= capacity_);
  top_ += size;
  blocks_.push_back({std::string(name), begin, size});
  groups_[blocks_.back().name] += size;
  if (top_ > peak_) {
    peak_ = top_;
    at_peak_ = groups_;
  }
  return {base_ == nullptr ? nullptr : base_ + begin, dtype, shape};
}

void Arena::release_to(std::size_t mark) {
  while (blocks_.size() > mark) {
    groups_[blocks_.back().name] -= blocks_.back().size;
    top_ = blocks_.back().begin;
    blocks_.pop_back();
  }
}

}  // namespace lmpo
