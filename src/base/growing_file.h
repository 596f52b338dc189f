// Files that are read while they grow, such as logs.
#pragma once

#include <string_view>

#include "base/file.h"

namespace lmpo {

// Appends a record and flushes; creates the file if needed. If it fails (MachineError), the file is
// as before, so there is never a partial record in it.
void append_to_file(const fs::path& path, std::string_view content);

}  // namespace lmpo
