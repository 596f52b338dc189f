// One of the things a run's data consists of, as the user names it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"

namespace lmpo {

// Which split of a dataset folder is meant where the user names none.
enum class DataPurpose { training, evaluation };

struct DataSource {
  DataSource() = default;
  DataSource(fs::path named) : path(std::move(named)) {}  // NOLINT(google-explicit-constructor)

  // A file, a folder, a pattern with *, ? or [, or the name of a dataset in the Hub's cache.
  fs::path path;
  // Of a dataset folder: its configuration and split; "" for the default. A split may end in a
  // slice, "train[:10]" or "train[10%:20%]"; of a file only "train" can be named.
  std::string config;
  std::string split;
  // Patterns of files inside the folder, instead of what it says of itself.
  std::vector<std::string> data_files;
  // From names of the data's columns to the keys of schema.h.
  std::map<std::string, std::string> columns;
  // So much of its rows: 0.5 the first half, 2 every row twice.
  double weight = 1;
  std::int64_t most_rows = 0;  // at most so many of them; 0: all
  bool only_columns = false;   // every column that `columns` does not name is dropped
};

}  // namespace lmpo
