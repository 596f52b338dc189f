// Python's string functions over UTF-8. Each runs in linear time and charges its work to the
// budget, except for one plain pass over the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "jinja/budget.h"

namespace lmpo::jinja {

std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
std::string swapcase(std::string_view text);
// Upper case after separators, lower case elsewhere. Separators are, for str.title, all characters
// but letters; for the filter `title`, white space, hyphens and opening brackets.
std::string title_words(std::string_view text);
std::string title_letters(std::string_view text);
bool is_python_space(std::string_view character);
bool is_letter(std::string_view character);

// As str.find and str.rfind, in bytes; npos if the part is not found.
std::size_t find_first(std::string_view text, std::string_view part, std::size_t from = 0);
std::size_t find_last(std::string_view text, std::string_view part);

// Strips the characters of `set` (without one: white space) from the left, the right, or both.
std::string strip(std::string_view text, const std::optional<std::string>& set, bool left,
                  bool right);
// As str.split and str.rsplit; `most` < 0 means no limit. TemplateError for an empty separator.
std::vector<std::string> split(std::string_view text, const std::optional<std::string>& separator,
                               std::int64_t most, bool from_right);
std::vector<std::string> split_lines(std::string_view text, bool keep_ends = false);
// Replaces the first `most` occurrences, or all if it is negative.
std::string replace(std::string_view text, std::string_view from, std::string_view to,
                    std::int64_t most);
// Pads the text to `width` characters with `fill` on the left, the right, or both sides.
enum class Side { left, right, both };
std::string padded(std::string_view text, std::int64_t width, std::string_view fill, Side side);
// Characters begin, begin + step, ... before end, by Python's rules for absent and negative ones.
std::string slice(std::string_view text, std::optional<std::int64_t> begin,
                  std::optional<std::int64_t> end, std::int64_t step);

// The indices that a slice reads: first, first + step, ...
struct SlicePlaces {
  std::int64_t first = 0;
  std::int64_t step = 1;
  std::size_t count = 0;
  std::size_t at(std::size_t i) const {
    return static_cast<std::size_t>(first + step * static_cast<std::int64_t>(i));
  }
};
SlicePlaces slice_places(std::size_t size, std::optional<std::int64_t> begin,
                         std::optional<std::int64_t> end, std::int64_t step);

std::size_t count_characters(std::string_view text);

// Calls each(character) for every character, in order.
template <typename Each>
void for_characters(std::string_view text, const Each& each) {
  charge_work(text.size() * kCharacterWork);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_size(text[at]);
    each(text.substr(at, size));
    at += size;
  }
}

}  // namespace lmpo::jinja
