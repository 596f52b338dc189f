#include "evaluate/python_list.h"

#include <charconv>

#include "base/utf8.h"

namespace lmpo {
namespace {

class ListReader {
 public:
  explicit ListReader(std::string_view text) : text_(text) {}

  std::optional<std::vector<std::string>> read() {
    std::vector<std::string> items;
    if (!take('[')) {
      return std::nullopt;
    }
    while (!take(']')) {
      std::optional<std::string> item = quoted();
      if (!item) {
        return std::nullopt;
      }
      items.push_back(std::move(*item));
      if (!take(',') && !next_is(']')) {
        return std::nullopt;
      }
    }
    skip_space();
    return text_.empty() ? std::optional(std::move(items)) : std::nullopt;
  }

 private:
  void skip_space() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) {
      text_.remove_prefix(1);
    }
  }
  bool next_is(char c) {
    skip_space();
    return text_.starts_with(c);
  }
  bool take(char c) {
    const bool is_next = next_is(c);
    text_.remove_prefix(is_next ? 1 : 0);
    return is_next;
  }
  char take_any() {
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }

  std::optional<std::string> quoted() {
    if (!next_is('\'') && !next_is('"')) {
      return std::nullopt;
    }
    const char quote = take_any();
    std::string item;
    while (!text_.empty() && text_.front() != quote) {
      const char c = take_any();
      if (c != '\\') {
        item += c;
      } else if (text_.empty() || !add_escape(item)) {
        return std::nullopt;
      }
    }
    return take(quote) ? std::optional(std::move(item)) : std::nullopt;
  }

  bool add_escape(std::string& item) {
    const char kind = take_any();
    switch (kind) {
      case 'n':
        item += '\n';
        return true;
      case 'r':
        item += '\r';
        return true;
      case 't':
        item += '\t';
        return true;
      case '\\':
      case '\'':
      case '"':
        item += kind;
        return true;
      case 'x':
        return add_code_point(item, 2);
      case 'u':
        return add_code_point(item, 4);
      case 'U':
        return add_code_point(item, 8);
      default:
        return false;
    }
  }

  bool add_code_point(std::string& item, std::size_t digits) {
    const std::string_view number = text_.substr(0, digits);
    std::uint32_t code_point = 0;
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), code_point, 16);
    const bool is_character = code_point < 0xD800 || (code_point > 0xDFFF && code_point < 0x110000);
    if (error != std::errc() || number.size() != digits || end != number.data() + digits ||
        !is_character) {
      return false;
    }
    text_.remove_prefix(digits);
    append_utf8(item, code_point);
    return true;
  }

  std::string_view text_;
};

}  // namespace

std::optional<std::vector<std::string>> python_list_of_texts(std::string_view text) {
  return ListReader(text).read();
}

}  // namespace lmpo
