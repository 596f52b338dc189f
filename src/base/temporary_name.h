// Names of files and folders that are not whole yet.
#pragma once

#include <string_view>

#include "base/file.h"

namespace lmpo {

// A new name beside a path: NAME.incomplete-, eight random digits, eight digits of a checksum over
// the name and those. By the checksum such names are told from names that people choose.
fs::path temporary_beside(const fs::path& path);

// The name that it will have once it is whole; "" where the name is not one of these.
std::string_view final_name(std::string_view temporary);

}  // namespace lmpo
