// The columns of data: renamed as the user asks, and those that nothing reads.
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

// Gives a row's columns the names that schema.h knows, and remembers which columns there were. The
// source must outlive it.
class Renaming {
 public:
  explicit Renaming(const DataSource& source) : source_(source) {}

  // Columns to read of a file that is not read whole.
  std::vector<std::string> wanted() const;
  void apply(SourceRow& row);
  // UserError for a column that no row had: a slip of the pen.
  void check() const;

 private:
  const DataSource& source_;
  std::set<std::string> seen_;
  std::vector<std::string> names_;
};

// Columns of used rows that were not used, with the number of such rows; 0 where it is not known.
class UnusedColumns {
 public:
  // Names that no schema knows.
  void see(const ordered_json& row);
  void see(const std::vector<std::string>& unread);
  // Keys that a schema knows and the row did not need.
  void add(RowKeys unused);

  const std::map<std::string, std::int64_t>& counts() const { return counts_; }
  // What to say of them, in sentences: columns that look like a key that no row has, or that say
  // something to the model, and all others. "" for none.
  std::string warning() const;
  std::string notice() const;

  // For a file.
  json to_json() const { return counts_; }
  static UnusedColumns from_json(const json& counts);

 private:
  std::map<std::string, std::int64_t> counts_;
};

}  // namespace lmpo
