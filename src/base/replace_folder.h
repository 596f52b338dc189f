// One folder takes the name of another, so that a program that is killed at any moment loses
// neither.
#pragma once

#include <functional>
#include <string_view>

#include "base/file.h"

namespace lmpo {

// Ends the name of a replaced folder where names cannot be exchanged.
inline constexpr std::string_view kReplaced = "-old";

fs::path replaced_name(const fs::path& temporary);

// Gives a whole folder the name `final`, in one call where the file system can exchange names: the
// replaced folder is then called `temporary`. Else it is called replaced_name(temporary).
// MachineError leaves both as they were.
void replace_folder(const fs::path& temporary, const fs::path& final);

// The same in two renames, for file systems that cannot exchange names.
void replace_folder_by_renames(const fs::path& temporary, const fs::path& final);

// Finishes what two renames may have left: where nothing is called `final` the new folder was whole
// and takes its place. `replaced` goes. Does nothing while the new one is held by who writes it.
void finish_replacement(const fs::path& replaced, const fs::path& final,
                        const std::function<bool(const fs::path&)>& is_held);

}  // namespace lmpo
