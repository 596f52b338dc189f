// Where an output of a given name really goes.
#pragma once

#include "base/descriptor.h"
#include "base/file.h"

namespace lmpo {

struct OutputTarget {
  fs::path path;            // what links lead to
  bool is_stream = false;   // written into as it is: a device, a FIFO, a socket, an open descriptor
  int own_descriptor = -1;  // of a stream that this program has open: /dev/stdout, /dev/fd/3
};

OutputTarget output_target(fs::path path);

// Opens a stream, or a file that grows, for writing at its end. Not open where that fails (errno).
Descriptor open_at_end(const OutputTarget& target);

}  // namespace lmpo
