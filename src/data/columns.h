// Columns of the data: renaming, and the ones that are not used.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "data/reader.h"
#include "data/row_fields.h"
#include "data/source.h"

namespace lmpo {

// Renames a row's columns to the keys of schema.h, as the source says, and remembers which columns
// it saw. The source must outlive it.
class Renaming {
 public:
  explicit Renaming(const DataSource& source) : source_(source) {}

  // Columns to read from a file of columns (Parquet).
  std::vector<std::string> wanted() const;
  void apply(SourceRow& row);
  // Throws UserError if no row had a column that is to be renamed.
  void check() const;

 private:
  const DataSource& source_;
  std::set<std::string> seen_;
  std::vector<std::string> names_;
};

// Unused columns, each with the number of rows that have it; 0 if unknown.
class UnusedColumns {
 public:
  // Counts the columns that no schema knows.
  void see(const ordered_json& row);
  void see(const std::vector<std::string>& unread);
  // Counts keys that a schema knows but this row did not use.
  void add(RowKeys unused);

  const std::map<std::string, std::int64_t>& counts() const { return counts_; }
  // Sentences for the log; "" if there is nothing to say. The warning names columns that look like
  // a misspelt key or whose text the model would otherwise see; the notice names all others.
  std::string warning() const;
  std::string notice() const;

  // For the token cache.
  json to_json() const { return counts_; }
  static UnusedColumns from_json(const json& counts);

 private:
  std::map<std::string, std::int64_t> counts_;
};

}  // namespace lmpo
