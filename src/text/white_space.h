// White space at the ends of a part of a text: valid UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/utf8.h"

namespace lmpo {

// Where the white space that ends at `end` begins.
inline std::size_t white_space_begin(std::string_view text, std::size_t end) {
  while (end > 0) {
    const std::size_t before = previous_character(text, end);
    if (!is_white_space(first_code_point(text.substr(before)))) {
      break;
    }
    end = before;
  }
  return end;
}

// Where the white space that begins at `begin` ends.
inline std::size_t white_space_end(std::string_view text, std::size_t begin) {
  while (begin < text.size() && is_white_space(first_code_point(text.substr(begin)))) {
    begin += utf8_size(text[begin]);
  }
  return begin;
}

}  // namespace lmpo
