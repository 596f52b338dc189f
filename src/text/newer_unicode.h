// The characters that Unicode 15, 15.1 and 16 added. PCRE2 10.42 and Oniguruma 6.9.8 know Unicode
// 14 and take them for unassigned, while the regular expressions of `tokenizers` and tiktoken know
// them.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// Whether a text, valid UTF-8, has one of them.
bool has_newer_character(std::string_view text);

// A pattern whose general categories (\p{L}, \p{Lu}, ..., not \p{C}), scripts, \p{Alphabetic}, \w
// and \d hold the newer characters too. Equal to the pattern where it names none. Negated ones within a
// class, [[:alpha:]] and long names (\p{Letter}) stay as they are.
std::string with_newer_characters(std::string_view pattern);

}  // namespace lmpo
