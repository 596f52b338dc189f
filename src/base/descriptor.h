// File descriptors.
#pragma once

#include <cstddef>
#include <utility>

namespace lmpo {

// Owns a file descriptor; -1 is none. Closes it at the end of its life.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  void close();

 private:
  int number_;
};

// Writes all bytes. Returns 0, or the errno of the failure.
int write_all(int descriptor, const void* data, std::size_t size);

}  // namespace lmpo
