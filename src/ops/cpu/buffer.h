// Memory of one thread that is kept between calls.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lmpo::cpu {

// Grows when it must and then holds nothing of before: the old pages are gone before the new ones
// come, so that a plan of the largest size is what it takes. Pages that are not touched take
// nothing. Throws MachineError.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* bytes(std::size_t size) {
    if (size > size_) {
      grow(size);
    }
    return data_;
  }
  float* of_size(std::int64_t floats) {
    return static_cast<float*>(bytes(static_cast<std::size_t>(floats) * sizeof(float)));
  }

 private:
  void grow(std::size_t size);
  void release();

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace lmpo::cpu
