// The splits of a dataset folder.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/source.h"

namespace lmpo {

// Split names with their files, sorted by name.
using Splits = std::map<std::string, std::vector<fs::path>>;

// The splits of a folder, as in Hugging Face `datasets`: from `configs` in the front matter of its
// README.md; else from the file names ("data/train_prefs-00000-of-00001.parquet", or a word such as
// train, test, validation in the path). Files whose names have no split are "train" if no other
// file is. `config` chooses among several configurations; "" is the default one.
//
// Data files end in .parquet, .json or .jsonl, the latter two also with .gz or .zst. Hidden files
// and the records of models and datasets are left out. Throws UserError if there are no data files,
// if the README is invalid, or if it lacks the configuration.
Splits read_splits(const fs::path& folder, const std::string& config);

// The text between the first two lines of three dashes; "" if there is none.
std::string front_matter(const fs::path& readme);

// The files below the folder whose relative paths match one of the patterns (fnmatch, with ** for
// any folders). Throws UserError if a pattern matches none.
std::vector<fs::path> match_files(const fs::path& folder, const std::vector<std::string>& patterns);

// The split of that name. "" chooses by purpose: for training "train", or the only split whose name
// begins with it; for evaluation the same with "test", then "validation"; else the only split there
// is. Throws UserError that lists the splits if the choice is not clear. `folder` is for errors.
const std::vector<fs::path>& choose_split(const Splits& splits, const std::string& named,
                                          DataPurpose purpose, const fs::path& folder);

}  // namespace lmpo
