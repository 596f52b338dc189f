// Files that are read.
#pragma once

#include "base/descriptor.h"
#include "base/file.h"

namespace lmpo {

enum class Pipes { allowed, refused };

// Opens a regular file, or a shell's pipe "<(command)" where those are allowed. UserError for
// everything else: a device or a FIFO may never end, or never begin.
Descriptor open_input(const fs::path& path, Pipes pipes);

}  // namespace lmpo
