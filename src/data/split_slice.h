// "train[:10]" and "train[10%:20%]": part of a split, as Hugging Face `datasets` writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace lmpo {

struct SplitSlice {
  std::string split;  // "train"
  bool whole = true;  // no slice is given
  std::optional<std::int64_t> begin;
  std::optional<std::int64_t> end;
  bool percent = false;

  // Whether range() depends on the number of rows.
  bool counts_rows() const;
  // The slice [first, last) of `rows` rows. Percentages are rounded to the nearest row (halves to
  // the even one); numbers below 0 count from the end.
  std::pair<std::int64_t, std::int64_t> range(std::int64_t rows) const;
};

// Throws UserError for an invalid slice.
SplitSlice parse_split(const std::string& text);

}  // namespace lmpo
