#include "tensor/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
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

Arena Arena::file(std::size_t capacity, const std::filesystem::path& folder) {
  Arena arena;
  arena.capacity_ = std::max(capacity, alignment);
  arena.is_file_ = true;
  std::string path = (folder / "lmpo-XXXXXX").string();
  const int file = ::mkstemp(path.data());
  int failure = errno;
  if (file >= 0) {
    ::unlink(path.c_str());
    failure = ::posix_fallocate(file, 0, static_cast<off_t>(arena.capacity_));
    void* block = failure != 0 ? MAP_FAILED
                               : ::mmap(nullptr, arena.capacity_, PROT_READ | PROT_WRITE,
                                        MAP_SHARED, file, 0);
    failure = failure != 0 ? failure : errno;
    ::close(file);
    if (block != MAP_FAILED) {
      arena.base_ = static_cast<char*>(block);
      return arena;
    }
  }
  machine_error("{} bytes on disk in {} cannot be had: {}", arena.capacity_, folder.string(),
                std::strerror(failure));
}

void Arena::page_out(const Tensor& tensor) const {
  if (!is_file_ || tensor.empty()) {
    return;
  }
  // Whole pages; the content is the file's, so a neighbour loses nothing.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto offset = static_cast<std::size_t>(static_cast<char*>(tensor.data()) - base_);
  const std::size_t begin = offset / page * page;
  ::madvise(base_ + begin, offset + tensor.bytes() - begin, MADV_DONTNEED);
}

Arena::~Arena() {
  if (base_ != nullptr) {
    ::munmap(base_, capacity_);
  }
}

Arena::Arena(Arena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      is_file_(other.is_file_),
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
