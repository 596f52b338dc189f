#include "judge/rows_of.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"

namespace lmpo {
namespace {

const ordered_json* value_of(const SourceRow& row, std::string_view key) {
  if (!row.valid_utf8) {
    user_error("{}: the row's bytes are not UTF-8", row.location);
  }
  const auto found = row.value.find(key);
  return found == row.value.end() || found->is_null() ? nullptr : &*found;
}

}  // namespace

std::string text_of_row(const SourceRow& row, std::string_view key) {
  const ordered_json* value = value_of(row, key);
  if (value == nullptr || !value->is_string()) {
    user_error("{}: key '{}': a text was expected{}", row.location, key,
               value == nullptr ? ", and there is none" : "");
  }
  return value->get<std::string>();
}

std::string text_or_empty(const SourceRow& row, std::string_view key) {
  return value_of(row, key) == nullptr ? "" : text_of_row(row, key);
}

double number_or_nan(const SourceRow& row, std::string_view key) {
  const ordered_json* value = value_of(row, key);
  if (value == nullptr) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (!value->is_number()) {
    user_error("{}: key '{}': a number was expected", row.location, key);
  }
  return value->get<double>();
}

std::vector<SourceRow> rows_of(const fs::path& file, std::string_view what) {
  std::vector<SourceRow> rows;
  read_rows(file, [&](SourceRow&& row) { rows.push_back(std::move(row)); });
  if (rows.empty()) {
    user_error("{}: the file has no rows; {} were expected", file.string(), what);
  }
  return rows;
}

const ordered_json* descend(const ordered_json& value, std::initializer_list<const char*> keys) {
  const ordered_json* at = &value;
  for (const char* key : keys) {
    if (!at->is_object() || !at->contains(key)) {
      return nullptr;
    }
    at = &(*at)[key];
  }
  return at;
}

std::int64_t code_points(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace lmpo
