#include "grade/python_text.h"

#include "text/regex.h"

namespace lmpo::grade {
namespace {

// A text of one case: `wanted` is there and `unwanted` is not.
bool has_only(const Regex& wanted, const Regex& unwanted, std::string_view text) {
  return wanted.is_in(text) && !unwanted.is_in(text);
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  for (std::size_t at = text.find(separator); at != std::string_view::npos;
       at = text.find(separator, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + separator.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to) {
  const std::vector<std::string_view> parts = split(text, from);
  std::string result(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    result += to;
    result += parts[i];
  }
  return result;
}

bool is_upper(std::string_view text) {
  static const Regex upper(R"(\p{Uppercase})", "is_upper");
  static const Regex other(R"([\p{Lowercase}\p{Lt}])", "is_upper");
  return has_only(upper, other, text);
}

bool is_lower(std::string_view text) {
  static const Regex lower(R"(\p{Lowercase})", "is_lower");
  static const Regex other(R"([\p{Uppercase}\p{Lt}])", "is_lower");
  return has_only(lower, other, text);
}

}  // namespace lmpo::grade
