// Replaces a folder by another, so that a program that is killed at any moment loses neither of
// them.
#pragma once

#include <functional>
#include <string_view>

#include "base/file.h"

namespace lmpo {

// The suffix of a replaced folder, on file systems that cannot exchange names.
inline constexpr std::string_view kReplaced = "-old";

fs::path replaced_name(const fs::path& temporary);

// Renames `temporary` to `final`. If the file system can exchange names, this is one call and the
// replaced folder is then called `temporary`; else it is called replaced_name(temporary). If it
// fails (MachineError), both are as before.
void replace_folder(const fs::path& temporary, const fs::path& final);

// The same in two renames, for file systems that cannot exchange names.
void replace_folder_by_renames(const fs::path& temporary, const fs::path& final);

// Finishes an interrupted replacement by two renames: renames the whole new folder to `final` if
// that is missing, then removes `replaced`. Does nothing while a program holds the new folder.
void finish_replacement(const fs::path& replaced, const fs::path& final,
                        const std::function<bool(const fs::path&)>& is_held);

}  // namespace lmpo
