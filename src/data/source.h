// One source of a run's data, as the user names it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace lmpo {

// Which split of a dataset folder is used if the user names none.
enum class DataPurpose { training, evaluation };

struct DataSource {
  DataSource() = default;
  DataSource(fs::path named) : path(std::move(named)) {}  // NOLINT(google-explicit-constructor)

  // A file, a folder, a pattern with *, ? or [, or the name of a dataset in the Hub's cache.
  fs::path path;
  // Configuration and split of a dataset folder; "" for the default. A split may end in a slice,
  // "train[:10]" or "train[10%:20%]". The split of a file can only be "train".
  std::string config;
  std::string split;
  // Patterns of files inside the folder, instead of its splits.
  std::vector<std::string> data_files;
  // From column names of the data to keys of schema.h.
  std::map<std::string, std::string> columns;
  // 0.5: the first half of its rows; 2: every row twice.
  double weight = 1;
  std::int64_t most_rows = 0;  // limit; 0: none
  bool only_columns = false;   // drop every column that is not in `columns`
};

}  // namespace lmpo
