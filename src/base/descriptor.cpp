#include "base/descriptor.h"

#include <unistd.h>

#include <cerrno>

namespace lmpo {

void Descriptor::close() {
  if (is_open()) {
    ::close(std::exchange(number_, -1));
  }
}

int write_all(int descriptor, const void* data, std::size_t size) {
  const char* cursor = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor, cursor, size);
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return errno;
    }
    cursor += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace lmpo
