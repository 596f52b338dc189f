// Temporary names of files and folders that are being written.
#pragma once

#include <string_view>

#include "base/file.h"

namespace lmpo {

// A new name beside a path: NAME.incomplete-, eight random digits, and eight digits of a checksum
// over both. The checksum distinguishes such names from names that people choose.
fs::path temporary_beside(const fs::path& path);

// The final name that belongs to a temporary name; "" if it is not a temporary name.
std::string_view final_name(std::string_view temporary);

}  // namespace lmpo
