#include "judge/csv.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/readable.h"

namespace lmpo {
namespace {

// Fields of a text, one after the other.
class FieldReader {
 public:
  FieldReader(std::string_view text, std::string_view source) : text_(text), source_(source) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    at_ = text_.starts_with(mark) ? mark.size() : 0;
  }

  bool at_end() const { return at_ == text_.size(); }
  std::int64_t line() const { return line_; }

  // The fields of the next line. A quoted field may hold line ends.
  std::vector<std::string> row() {
    std::vector<std::string> fields = {field()};
    while (next_is(',')) {
      ++at_;
      fields.push_back(field());
    }
    if (next_is('\r')) {
      ++at_;
    }
    if (!at_end() && !next_is('\n')) {
      user_error("{}:{}: a comma or the end of the line was expected after a quoted field", source_,
                 line_);
    }
    at_ = std::min(at_ + 1, text_.size());
    ++line_;
    return fields;
  }

 private:
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }

  std::string field() {
    if (next_is('"')) {
      return quoted();
    }
    std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    const bool has_return =
        end > at_ && text_[end - 1] == '\r' && !text_.substr(end).starts_with(',');
    end -= has_return ? 1 : 0;
    const std::string_view value = text_.substr(at_, end - at_);
    at_ = end;
    return std::string(value);
  }

  std::string quoted() {
    const std::int64_t first = line_;
    std::string value;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        if (!next_is('"')) {
          return value;
        }
      }
      line_ += text_[at_] == '\n' ? 1 : 0;
      value += text_[at_];
    }
    user_error("{}:{}: the quoted field that begins here has no end", source_, first);
  }

  std::string_view text_;
  std::string_view source_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

bool CsvTable::has(std::string_view name) const {
  return std::ranges::find(names, name) != names.end();
}

std::size_t CsvTable::column(std::string_view name) const {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    user_error("{}: there is no column '{}'; the columns are: {}", source, name,
               fmt::join(names, ", "));
  }
  return static_cast<std::size_t>(found - names.begin());
}

double CsvTable::number(std::size_t row, std::size_t column) const {
  const std::string& field = rows[row][column];
  if (field.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double value = 0;
  const char* const last = field.data() + field.size();
  const auto [end, error] = std::from_chars(field.data(), last, value);
  if (error != std::errc() || end != last || !std::isfinite(value)) {
    user_error("{}: row {}, column '{}': a number was expected, not '{}'", source, row,
               names[column], field.substr(0, 40));
  }
  return value;
}

CsvTable parse_csv(std::string_view text, std::string_view source) {
  FieldReader reader(text, source);
  CsvTable table{.source = std::string(source)};
  while (!reader.at_end()) {
    const std::int64_t line = reader.line();
    std::vector<std::string> fields = reader.row();
    if (table.names.empty()) {
      table.names = std::move(fields);
      continue;
    }
    if (fields.size() == 1 && fields[0].empty()) {
      continue;
    }
    if (fields.size() != table.names.size()) {
      user_error("{}:{}: {} were expected, as in the first line, not {}", source, line,
                 counted(std::ssize(table.names), "field"), fields.size());
    }
    table.rows.push_back(std::move(fields));
  }
  return table;
}

CsvTable read_csv(const fs::path& path) {
  return parse_csv(read_file(path), path.string());
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    return std::string(text);
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return quoted + '"';
}

std::string csv_number(double value) {
  if (std::isnan(value)) {
    return "";
  }
  std::string text = fmt::format("{}", value);
  const bool is_whole = text.find_first_not_of("-0123456789") == std::string::npos;
  return is_whole ? text + ".0" : text;
}

}  // namespace lmpo
