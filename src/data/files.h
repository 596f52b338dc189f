// Which files the user means by the names of data.
#pragma once

#include <vector>

#include "base/file.h"

namespace lmpo {

// A file stands for itself; a pattern with *, ? or [ for the files it matches; a folder for the
// files in it and below it whose names end in .json or .jsonl, or these with .gz or .zst, but for
// hidden ones and the records of models and datasets. In order of names. Throws UserError for a
// name that stands for nothing, and says what is there instead.
std::vector<fs::path> find_data_files(const std::vector<fs::path>& names);

}  // namespace lmpo
