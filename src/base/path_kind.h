// The kind of thing at a path. These never throw; they return false if it cannot be determined (the
// name is too long, or a parent folder is not readable).
#pragma once

#include "base/file.h"

namespace lmpo {

// A regular file.
bool is_file(const fs::path& path);

// Anything, also a broken link.
bool is_there(const fs::path& path);

// An output that is written directly, never replaced: a device, a FIFO, /dev/stdout.
bool is_stream(const fs::path& path);

}  // namespace lmpo
