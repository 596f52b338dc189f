#include "data/source_rows.h"

#include <cmath>
#include <limits>
#include <variant>

#include "base/error.h"
#include "data/columns.h"
#include "data/split_slice.h"

namespace lmpo {
namespace {

// Reads the rows of the files, in order; returns their number.
std::int64_t read_files(const std::vector<fs::path>& files, const Renaming& renaming,
                        const RowCallback& take, const UnreadColumns& see_unread) {
  std::int64_t total = 0;
  for (const fs::path& file : files) {
    std::vector<std::string> unread;
    const std::int64_t rows = read_rows(file, renaming.wanted(), take, &unread);
    if (see_unread) {
      see_unread(unread);
    }
    if (rows == 0) {
      user_error(
          "{}: this file has no rows; expected a JSON array of objects, JSON Lines or Parquet",
          file.string());
    }
    total += rows;
  }
  return total;
}

// Ends reading.
struct EnoughRead {};

ordered_json prompt_of(const Row& row) {
  if (!row.conversational) {
    return row.prompt.text;
  }
  return to_json(row.prompt.turns);
}

}  // namespace

void read_source(const SourceFiles& found, const RowCallback& callback,
                 const UnreadColumns& see_unread) {
  const auto& [source, files] = found;
  Renaming renaming(source);
  const SplitSlice slice = parse_split(source.split);
  constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
  const double whole = std::floor(source.weight);
  const bool counts = source.weight > whole || slice.counts_rows();
  const std::int64_t rows = counts ? read_files(
                                         files, renaming, [](SourceRow&&) {}, see_unread)
                                   : kAll;
  const auto [first, last] = slice.range(rows);
  std::int64_t left = source.most_rows > 0 ? source.most_rows : kAll;
  const auto read_part = [&, &files = files, first = first, last = last](std::int64_t wanted) {
    std::int64_t index = 0;
    const auto take = [&](SourceRow&& row) {
      if (index >= first && index < last && wanted > 0 && left > 0) {
        --wanted;
        --left;
        renaming.apply(row);
        callback(std::move(row));
      }
      ++index;
    };
    read_files(files, renaming, take, see_unread);
  };
  for (double pass = 0; pass < whole; ++pass) {
    read_part(kAll);
  }
  if (source.weight > whole) {
    const auto part = static_cast<double>(last - first);
    read_part(static_cast<std::int64_t>(std::floor(source.weight * part) - whole * part));
  }
  renaming.check();
}

std::map<std::int64_t, ordered_json> read_prompts(const std::vector<SourceFiles>& sources,
                                                  RowKind kind,
                                                  const std::set<std::int64_t>& rows) {
  std::map<std::int64_t, ordered_json> prompts;
  std::int64_t next = 0;
  const auto take = [&](SourceRow&& row) {
    if (rows.empty() || next > *rows.rbegin()) {
      throw EnoughRead();
    }
    const std::int64_t number = next++;
    if (!rows.contains(number) || !row.valid_utf8) {
      return;
    }
    const auto normalised = normalise_row(row.value, kind, row.location);
    if (const auto* found = std::get_if<Row>(&normalised)) {
      prompts[number] = prompt_of(*found);
    }
  };
  try {
    for (const SourceFiles& source : sources) {
      read_source(source, take);
    }
  } catch (const EnoughRead&) {  // NOLINT(bugprone-empty-catch)
  }
  return prompts;
}

}  // namespace lmpo
