#include "data/source_rows.h"

#include <fmt/ranges.h>

#include <cmath>
#include <set>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/names.h"
#include "data/files.h"

namespace lmpo {
namespace {

// Gives a row's columns the names that schema.h knows, and remembers which columns there were.
class Renaming {
 public:
  explicit Renaming(const DataSource& source) : source_(source) {}

  void apply(SourceRow& row) {
    if (source_.columns.empty() || !row.valid_utf8) {
      return;
    }
    json renamed = row.value;
    for (const auto& [column, key] : source_.columns) {
      if (row.value.contains(column)) {
        renamed.erase(column);
        seen_.insert(column);
      }
    }
    for (const auto& [column, key] : source_.columns) {
      if (row.value.contains(column)) {
        renamed[key] = row.value[column];
      }
    }
    if (names_.empty()) {
      for (const auto& [name, value] : row.value.items()) {
        names_.push_back(name);
      }
    }
    row.value = std::move(renamed);
  }

  // A column that no row had is a slip of the pen.
  void check() const {
    for (const auto& [column, key] : source_.columns) {
      if (!seen_.contains(column) && !names_.empty()) {
        user_error("{}: columns: no row has '{}'{}; the first one has {}", source_.path.string(),
                   column, suggestion(column, names_), fmt::join(names_, ", "));
      }
    }
  }

 private:
  const DataSource& source_;
  std::set<std::string> seen_;
  std::vector<std::string> names_;
};

// The rows of the files, one after another; returns their number.
std::int64_t read_files(const std::vector<fs::path>& files, const RowCallback& take) {
  std::int64_t total = 0;
  for (const fs::path& file : files) {
    const std::int64_t rows = read_rows(file, take);
    if (rows == 0) {
      user_error("{}: no rows; a JSON array of objects, JSON Lines or Parquet was expected",
                 file.string());
    }
    total += rows;
  }
  return total;
}

ordered_json prompt_of(const Row& row) {
  if (!row.conversational) {
    return row.prompt.text;
  }
  ordered_json messages = ordered_json::array();
  for (const Message& message : row.prompt.turns) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  return messages;
}

}  // namespace

void read_source(const DataSource& source, DataPurpose purpose, const RowCallback& callback) {
  const std::vector<fs::path> files = find_data_files(source, purpose);
  Renaming renaming(source);
  const RowCallback take = [&](SourceRow&& row) {
    renaming.apply(row);
    callback(std::move(row));
  };
  const double whole = std::floor(source.weight);
  for (double pass = 0; pass < whole; ++pass) {
    read_files(files, take);
  }
  if (source.weight > whole) {
    const std::int64_t all = read_files(files, [](SourceRow&&) {});
    const auto rows = static_cast<double>(all);
    auto left = static_cast<std::int64_t>(std::floor(source.weight * rows) - whole * rows);
    read_files(files, [&](SourceRow&& row) {
      if (left-- > 0) {
        take(std::move(row));
      }
    });
  }
  renaming.check();
}

std::map<std::int64_t, ordered_json> read_prompts(const std::vector<DataSource>& sources,
                                                  DataPurpose purpose, RowKind kind,
                                                  const std::set<std::int64_t>& rows) {
  std::map<std::int64_t, ordered_json> prompts;
  std::int64_t next = 0;
  const auto take = [&](SourceRow&& row) {
    const std::int64_t number = next++;
    if (!rows.contains(number) || !row.valid_utf8) {
      return;
    }
    const auto normalised = normalise_row(row.value, kind, row.location);
    if (const auto* found = std::get_if<Row>(&normalised)) {
      prompts[number] = prompt_of(*found);
    }
  };
  for (const DataSource& source : sources) {
    if (prompts.size() < rows.size()) {
      read_source(source, purpose, take);
    }
  }
  return prompts;
}

}  // namespace lmpo
