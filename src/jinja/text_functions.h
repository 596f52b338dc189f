// Python's functions of text, over UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmpo::jinja {

std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
// A capital after each of the separators, small letters elsewhere: str.title takes whatever is not
// a letter, the filter `title` white space, hyphens and opening brackets.
std::string title_words(std::string_view text);
std::string title_letters(std::string_view text);

// Without the characters of `set` (white space where there is none) at the ends asked for.
std::string strip(std::string_view text, const std::optional<std::string>& set, bool left,
                  bool right);
// As str.split and str.rsplit; `most` < 0 is no limit. TemplateError for an empty separator.
std::vector<std::string> split(std::string_view text, const std::optional<std::string>& separator,
                               std::int64_t most, bool from_right);
std::vector<std::string> split_lines(std::string_view text);
// The first `most` occurrences (all when negative).
std::string replace(std::string_view text, std::string_view from, std::string_view to,
                    std::int64_t most);
// Characters begin, begin + step, ... before end, by Python's rules for absent and negative ones.
std::string slice(std::string_view text, std::optional<std::int64_t> begin,
                  std::optional<std::int64_t> end, std::int64_t step);
// The places that slice reads in a sequence of `size`.
std::vector<std::size_t> slice_places(std::size_t size, std::optional<std::int64_t> begin,
                                      std::optional<std::int64_t> end, std::int64_t step);

}  // namespace lmpo::jinja
