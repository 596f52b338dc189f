// Characters of a text, which is valid UTF-8.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "base/utf8.h"

namespace lmpo {

inline std::size_t count_characters(std::string_view text) {
  constexpr unsigned kContinuation = 0x80;
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned>(byte) & 0xC0u) != kContinuation;
  }));
}

// The size of the text's first `count` characters; of all where there are fewer.
inline std::size_t size_of_characters(std::string_view text, std::size_t count) {
  std::size_t size = 0;
  for (; count > 0 && size < text.size(); --count) {
    size += utf8_size(text[size]);
  }
  return size;
}

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
