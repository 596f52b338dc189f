#include "data/columns.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/names.h"
#include "base/readable.h"

namespace lmpo {
namespace {

// The model sees the text of these columns, so the user should know if one is not used.
constexpr std::array<std::string_view, 8> kSpoken = {
    "system", "system_prompt", "tools", "instruction", "question", "query", "input", "history"};

bool is_spoken(const std::string& column) {
  return std::ranges::find(kSpoken, column) != kSpoken.end();
}

bool is_known(const std::string& column) {
  return std::ranges::find(row_keys(), column) != row_keys().end();
}

// The key that an unknown column may be a misspelling of; "" for none.
std::string meant_as(const std::string& column) {
  static const std::vector<std::string> keys = {"prompt",   "system",  "tools",    "instruction",
                                                "question", "history", "messages", "conversations"};
  return is_known(column) ? "" : nearest_name(column, keys);
}

}  // namespace

std::vector<std::string> Renaming::wanted() const {
  std::vector<std::string> columns;
  if (!source_.only_columns) {
    columns.assign(row_keys().begin(), row_keys().end());
  }
  for (const auto& [column, key] : source_.columns) {
    columns.push_back(column);
  }
  return columns;
}

void Renaming::apply(SourceRow& row) {
  if (source_.columns.empty() || !row.valid_utf8) {
    return;
  }
  ordered_json renamed = source_.only_columns ? ordered_json::object() : row.value;
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

void Renaming::check() const {
  for (const auto& [column, key] : source_.columns) {
    if (!seen_.contains(column) && !names_.empty()) {
      user_error("{}: columns: no row has '{}'{}; the first one has {}", source_.path.string(),
                 column, suggestion(column, names_), fmt::join(names_, ", "));
    }
  }
}

void UnusedColumns::see(const ordered_json& row) {
  for (const auto& [column, value] : row.items()) {
    if (!value.is_null() && !is_known(column)) {
      ++counts_[column];
    }
  }
}

void UnusedColumns::see(const std::vector<std::string>& unread) {
  for (const std::string& column : unread) {
    counts_.try_emplace(column, 0);
  }
}

void UnusedColumns::add(RowKeys unused) {
  const auto keys = row_keys();
  for (std::size_t i = 0; unused != 0; ++i, unused >>= 1) {
    if ((unused & 1) != 0) {
      ++counts_[keys[i]];
    }
  }
}

std::string UnusedColumns::warning() const {
  std::vector<std::string> columns;
  for (const auto& [column, rows] : counts_) {
    if (const std::string meant = meant_as(column); !meant.empty()) {
      columns.push_back(fmt::format("'{}' (did you mean '{}'?)", column, meant));
    } else if (is_spoken(column)) {
      columns.push_back(fmt::format("'{}' (in {})", column, counted(rows, "row")));
    }
  }
  return columns.empty() ? "" : fmt::format("unused columns: {}", fmt::join(columns, ", "));
}

std::string UnusedColumns::notice() const {
  std::vector<std::string> columns;
  for (const auto& [column, rows] : counts_) {
    if (meant_as(column).empty() && !is_spoken(column)) {
      columns.push_back(column);
    }
  }
  constexpr std::size_t kMost = 20;
  const std::size_t more = columns.size() - std::min(columns.size(), kMost);
  columns.resize(columns.size() - more);
  return columns.empty() ? ""
                         : fmt::format("unused columns: {}{}", fmt::join(columns, ", "),
                                       more > 0 ? fmt::format(" and {} more", more) : "");
}

UnusedColumns UnusedColumns::from_json(const json& counts) {
  UnusedColumns columns;
  columns.counts_ = counts.get<std::map<std::string, std::int64_t>>();
  return columns;
}

}  // namespace lmpo
