#include "data/reader.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/line_input.h"
#include "base/readable.h"
#include "base/utf8.h"
#include "data/schema.h"
#include "io/text_file.h"
#include "parquet/parquet.h"

namespace lmpo {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::int64_t kMostNesting = 256;

// The end of an object (npos: it has none) and its nesting depth.
struct Extent {
  std::size_t end = std::string_view::npos;
  std::int64_t nesting = 0;
};

Extent object_extent(std::string_view text, std::size_t begin) {
  Extent extent;
  std::int64_t depth = 0;
  bool in_string = false;
  for (std::size_t at = begin; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string) {
      if (c == '\\') {
        ++at;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      extent.nesting = std::max(extent.nesting, ++depth);
    } else if ((c == '}' || c == ']') && --depth == 0) {
      extent.end = at + 1;
      return extent;
    }
  }
  return extent;
}

// The end of the number or word that begins at `begin`.
std::size_t end_of_word(std::string_view text, std::size_t begin) {
  const std::size_t end = text.find_first_of(",]}: \t\r\n\"[{", begin);
  return std::min(end, text.size());
}

// The text with null in place of numbers that JSON does not have.
std::string with_known_numbers(std::string_view text) {
  std::string known;
  known.reserve(text.size());
  bool in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (!in_string && (c == '-' || std::isalnum(static_cast<unsigned char>(c)) != 0)) {
      const std::size_t end = end_of_word(text, at);
      const std::string word(text.substr(at, end - at));
      char* rest = nullptr;
      const double value = std::strtod(word.c_str(), &rest);
      const bool number = *rest == '\0';
      known += number && !std::isfinite(value) ? "null" : word;
      at = end;
      continue;
    }
    if (in_string && c == '\\') {
      known += text.substr(at, 2);
      at += 2;
      continue;
    }
    in_string ^= c == '"';
    known += c;
    ++at;
  }
  return known;
}

// Splits a text into rows and passes them to the callback.
class RowReader {
 public:
  RowReader(std::string_view text, std::string_view source, const RowCallback& callback)
      : text_(text), source_(source), callback_(callback) {}

  std::int64_t read() {
    if (text_.starts_with(kByteOrderMark)) {
      position_ = kByteOrderMark.size();
    }
    const std::size_t first = text_.find_first_not_of(kWhiteSpace, position_);
    if (first == std::string_view::npos) {
      return 0;
    }
    if (text_[first] == '[') {
      position_ = first + 1;
      read_array();
    } else if (text_[first] == '{') {
      read_lines();
    } else {
      user_error(
          "{}: not a JSON array of objects, JSON Lines or Parquet; expected UTF-8 text that begins "
          "with '[' or '{{'",
          source_);
    }
    return rows_;
  }

 private:
  void read_array() {
    while (next_character() != ']') {
      const std::string location = fmt::format("{}: row {}", source_, rows_);
      expect_object(text_.substr(position_), location);
      const Extent extent = object_extent(text_, position_);
      if (extent.end == std::string_view::npos) {
        user_error("{}: the file ends inside this row; is it incomplete?", location);
      }
      pass_on(text_.substr(position_, extent.end - position_), extent.nesting, location);
      position_ = extent.end;
      const char separator = next_character();
      if (separator == ',') {
        ++position_;
        if (next_character() == ']') {
          user_error("{}: there is a comma before the closing ']'", source_);
        }
      } else if (separator != ']') {
        user_error("{}: expected ',' or ']' after this row", location);
      }
    }
    if (text_.find_first_not_of(kWhiteSpace, position_ + 1) != std::string_view::npos) {
      user_error("{}: text follows the closing ']' of the array", source_);
    }
  }

  void read_lines() {
    std::int64_t line = 0;
    while (position_ < text_.size()) {
      ++line;
      const std::size_t end = std::min(text_.find('\n', position_), text_.size());
      std::string_view content = text_.substr(position_, end - position_);
      position_ = end + 1;
      const std::size_t begin = content.find_first_not_of(kWhiteSpace);
      if (begin == std::string_view::npos) {
        continue;
      }
      content.remove_prefix(begin);
      const std::string location = fmt::format("{}:{}", source_, line);
      expect_object(content, location);
      pass_on(content, object_extent(content, 0).nesting, location);
    }
  }

  // The first character at or after the position that is not white space; moves there.
  char next_character() {
    position_ = text_.find_first_not_of(kWhiteSpace, position_);
    if (position_ == std::string_view::npos) {
      user_error("{}: the array has no closing ']' (after {}); is the file incomplete?", source_,
                 counted(rows_, "row"));
    }
    return text_[position_];
  }

  static void expect_object(std::string_view content, std::string_view location) {
    if (content.front() != '{') {
      user_error("{}: a row must be an object, '{{...}}', but this one begins with '{}'", location,
                 is_valid_utf8(content.substr(0, 1)) ? content.substr(0, 1) : "?");
    }
  }

  void pass_on(std::string_view content, std::int64_t nesting, const std::string& location) {
    if (content.size() > kLongestLine) {
      user_error("{}: this row has {}; the limit is {}", location, readable_bytes(content.size()),
                 readable_bytes(kLongestLine));
    }
    if (nesting > kMostNesting) {
      user_error("{}: nested deeper than {} levels; expected a row of text", location,
                 kMostNesting);
    }
    SourceRow row{.index = rows_++, .location = location, .value = {}, .valid_utf8 = true};
    row.value = ordered_json::parse(content, nullptr, false);
    if (row.value.is_discarded()) {
      row.value = ordered_json::parse(with_known_numbers(content), nullptr, false);
    }
    if (row.value.is_discarded()) {
      row.value = nullptr;
      row.valid_utf8 = is_valid_utf8(content);
      if (row.valid_utf8) {
        parse_json(content, location);  // throws and says why
      }
    }
    callback_(std::move(row));
  }

  std::string_view text_;
  std::string_view source_;
  const RowCallback& callback_;
  std::size_t position_ = 0;
  std::int64_t rows_ = 0;
};

}  // namespace

std::int64_t read_rows(std::string_view text, std::string_view source,
                       const RowCallback& callback) {
  return RowReader(text, source, callback).read();
}

std::int64_t read_rows(const fs::path& file, std::span<const std::string> wanted_columns,
                       const RowCallback& callback, std::vector<std::string>* unread) {
  const TextFile content(file);
  const std::string source = file.string();
  const auto bytes = std::as_bytes(std::span(content.text()));
  if (!is_parquet(bytes)) {
    return read_rows(content.text(), source, callback);
  }
  std::int64_t index = 0;
  return read_parquet(
      bytes, source, wanted_columns,
      [&](ordered_json&& value, bool valid_utf8) {
        callback({.index = index,
                  .location = fmt::format("{}: row {}", source, index),
                  .value = std::move(value),
                  .valid_utf8 = valid_utf8});
        ++index;
      },
      unread);
}

std::int64_t read_rows(const fs::path& file, const RowCallback& callback) {
  return read_rows(file, row_keys(), callback);
}

}  // namespace lmpo
