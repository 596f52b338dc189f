// What a folder is called.
#pragma once

#include <string>

#include "base/file.h"

namespace lmpo {

// "lmpo" of "runs/lmpo/"; of "." the name of the folder it stands for.
std::string folder_name(const fs::path& folder);

}  // namespace lmpo
