#include "ops/cpu/buffer.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace lmpo::cpu {

Buffer::~Buffer() {
  release();
}

void Buffer::grow(std::size_t size) {
  release();
  void* block = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) {
    machine_error("{} bytes of memory cannot be had: {}", size, std::strerror(errno));
  }
  data_ = block;
  size_ = size;
}

void Buffer::release() {
  if (data_ != nullptr) {
    ::munmap(std::exchange(data_, nullptr), std::exchange(size_, 0));
  }
}

}  // namespace lmpo::cpu
