#include "inspect/row_kind.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "data/files.h"
#include "data/reader.h"

namespace lmpo {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"preference", "sft", "labelled", "ranked"};

// Ends reading after the first row.
struct FirstRow {
  std::set<std::string> keys;
};

std::set<std::string> keys_of(const ordered_json& row, const DataSource& source) {
  std::set<std::string> keys;
  for (const auto& [column, value] : row.items()) {
    const auto renamed = source.columns.find(column);
    if (!value.is_null()) {
      keys.insert(renamed == source.columns.end() ? column : renamed->second);
    }
  }
  return keys;
}

std::set<std::string> first_keys(const DataSource& source) {
  try {
    for (const fs::path& file : find_data_files(source, DataPurpose::training)) {
      read_rows(file, [&](SourceRow&& row) {
        if (row.valid_utf8) {
          throw FirstRow{keys_of(row.value, source)};
        }
      });
    }
  } catch (const FirstRow& first) {
    return first.keys;
  }
  return {};
}

}  // namespace

std::string_view name(RowKind kind) {
  return kNames.at(static_cast<std::size_t>(kind));
}

std::optional<RowKind> row_kind_named(std::string_view name) {
  const auto* const found = std::ranges::find(kNames, name);
  return found == kNames.end() ? std::nullopt
                               : std::optional(static_cast<RowKind>(found - kNames.begin()));
}

RowKind detect_row_kind(const std::vector<DataSource>& sources) {
  for (const DataSource& source : sources) {
    const std::set<std::string> keys = first_keys(source);
    if (keys.empty() || keys.contains("chosen") || keys.contains("rejected")) {
      continue;
    }
    if (keys.contains("responses")) {
      return RowKind::ranked;
    }
    return keys.contains("label") || keys.contains("kto_tag") ? RowKind::labelled : RowKind::sft;
  }
  return RowKind::preference;
}

}  // namespace lmpo
