// A folder of data files and the splits it is made of.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/source.h"

namespace lmpo {

// Names of splits with their files, each in order of names.
using Splits = std::map<std::string, std::vector<fs::path>>;

// The splits of a folder, as Hugging Face `datasets` sees them: from `configs` in the front matter
// of its README.md; else from the files' names ("data/train_prefs-00000-of-00001.parquet", or a
// word such as train, test, validation in the path). Files that name no split are "train" where no
// other is. `config` chooses among several configurations; "" is the default one.
//
// Data files are those that end in .parquet, .json or .jsonl, the latter two also with .gz or .zst,
// but for hidden ones and the records of models and datasets. Throws UserError where there are
// none, for a README that cannot be understood, and for a configuration that is not there.
Splits read_splits(const fs::path& folder, const std::string& config);

// The part of a README.md between its first two lines of three dashes; "" where there is none.
std::string front_matter(const fs::path& readme);

// The files below the folder whose paths in it match one of the patterns (fnmatch, and ** for any
// folders). Throws UserError for a pattern that matches none.
std::vector<fs::path> match_files(const fs::path& folder, const std::vector<std::string>& patterns);

// The split that is named; "" chooses for the purpose: "train" or the only one that begins so;
// "test", "validation" or the only one that begins so; or the only one there is. Throws UserError
// that lists them where that is not clear. `folder` names it in errors.
const std::vector<fs::path>& choose_split(const Splits& splits, const std::string& named,
                                          DataPurpose purpose, const fs::path& folder);

}  // namespace lmpo
