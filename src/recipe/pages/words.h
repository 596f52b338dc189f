// Text as words that lines are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lmpo {

// At spaces and line ends.
std::vector<std::string> words_of(std::string_view text);
// Lines of at most `width` columns where the words, of ASCII, allow it.
std::vector<std::string> wrap(const std::vector<std::string>& words, std::size_t width);

}  // namespace lmpo
