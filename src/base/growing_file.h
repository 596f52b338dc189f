// Files that a reader follows while they grow: logs, a record at a time.
#pragma once

#include <string_view>

#include "base/file.h"

namespace lmpo {

// Appends and flushes, making the file where there is none. MachineError leaves it as it was, so
// that a part of a record never stands before those that may follow when there is room again.
void append_to_file(const fs::path& path, std::string_view content);

}  // namespace lmpo
