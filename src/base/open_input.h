// Opening files for reading.
#pragma once

#include "base/descriptor.h"
#include "base/file.h"

namespace lmpo {

enum class Pipes { allowed, refused };

// Opens a regular file, or a shell's pipe "<(command)" if pipes are allowed. Throws UserError for
// anything else: reading a device or a FIFO may never end.
Descriptor open_input(const fs::path& path, Pipes pipes);

}  // namespace lmpo
