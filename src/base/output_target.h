// The target of an output path.
#pragma once

#include "base/descriptor.h"
#include "base/file.h"

namespace lmpo {

struct OutputTarget {
  fs::path path;            // with links resolved
  bool is_stream = false;   // written directly: a device, a FIFO, a socket, an open descriptor
  int own_descriptor = -1;  // if this program has the stream open: /dev/stdout, /dev/fd/3
};

OutputTarget output_target(fs::path path);

// Opens a stream or a file for appending. On failure the descriptor is not open; see errno.
Descriptor open_at_end(const OutputTarget& target);

}  // namespace lmpo
