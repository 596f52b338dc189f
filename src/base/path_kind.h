// What a path leads to. None of these throws: false too where it cannot be told, as of a name that
// is too long or behind a folder that is closed.
#pragma once

#include "base/file.h"

namespace lmpo {

// A regular file.
bool is_file(const fs::path& path);

// Anything, a link that leads nowhere too.
bool is_there(const fs::path& path);

// What an output is written into as it is, never replaced: a device, a FIFO, /dev/stdout.
bool is_stream(const fs::path& path);

}  // namespace lmpo
