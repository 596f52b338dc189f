// Comma-separated values with a line of names, as pandas writes them (RFC 4180).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace lmpo {

struct CsvTable {
  std::string source = {};  // for messages
  std::vector<std::string> names = {};
  std::vector<std::vector<std::string>> rows = {};  // each as long as the names

  bool has(std::string_view name) const;
  // UserError that lists the names where there is none such.
  std::size_t column(std::string_view name) const;
  // NaN of an empty field. UserError with the row and the name where it is no number.
  double number(std::size_t row, std::size_t column) const;
};

// UserError with the line of a row that has more or fewer fields than there are names, and of a
// quotation without end.
CsvTable parse_csv(std::string_view text, std::string_view source);
CsvTable read_csv(const fs::path& path);

// A field, quoted where it must be.
std::string csv_field(std::string_view text);
// A number as Python writes it: "50.0", "1.3426390784895994"; "" of NaN.
std::string csv_number(double value);

}  // namespace lmpo
