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
constexpr std::size_t kAlignment = 64;

// Unmaps at the end.
std::shared_ptr<void> mapped(void* block, std::size_t size) {
  return {block, [size](void* begin) { ::munmap(begin, size); }};
}

}  // namespace

Arena Arena::counting() {
  return {};
}

Arena Arena::host(std::size_t capacity) {
  const std::size_t size = std::max(capacity, kAlignment);
  void* block = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (block == MAP_FAILED) {
    machine_error("{} bytes of memory cannot be reserved: {}", size, std::strerror(errno));
  }
  ::madvise(block, size, MADV_HUGEPAGE);
  return over(mapped(block, size), size);
}

Arena Arena::over(std::shared_ptr<void> block, std::size_t capacity) {
  Arena arena;
  arena.base_ = static_cast<char*>(block.get());
  arena.block_ = std::move(block);
  arena.capacity_ = capacity;
  return arena;
}

Arena Arena::file(std::size_t capacity, const std::filesystem::path& folder) {
  const std::size_t size = std::max(capacity, kAlignment);
  std::string path = (folder / "lmpo-XXXXXX").string();
  const int file = ::mkstemp(path.data());
  int failure = errno;
  if (file >= 0) {
    ::unlink(path.c_str());
    failure = ::posix_fallocate(file, 0, static_cast<off_t>(size));
    void* block = failure != 0 ? MAP_FAILED
                               : ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    failure = failure != 0 ? failure : errno;
    ::close(file);
    if (block != MAP_FAILED) {
      Arena result = over(mapped(block, size), size);
      result.is_file_ = true;
      return result;
    }
  }
  machine_error("{} bytes on disk in {} cannot be had: {}", size, folder.string(),
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

Tensor Arena::allocate(std::string_view name, Dtype dtype,
                       std::initializer_list<std::int64_t> shape) {
  const Tensor sized(nullptr, dtype, shape);
  const std::size_t size = (sized.bytes() + kAlignment - 1) / kAlignment * kAlignment;
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
