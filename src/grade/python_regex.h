// Regular expressions as Python's module `re` reads them, over valid UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "text/regex.h"

namespace lmpo::grade {

// Where ^ and $ match: at the ends of the text or, as with re.MULTILINE, of every line.
enum class Lines { one, many };

// UserError, which begins with `where`, if the pattern cannot be read. Case is ignored where the
// pattern begins with (?i). Known differences, all far from what tasks use: \Z is also the place
// before a last line end; case-insensitive letters do not match the Turkish i with or without dot.
Regex python_regex(std::string_view pattern, std::string_view where, Lines lines = Lines::one);

// re.sub: every match becomes `replacement`, in which \0 to \9 stand for the match and its groups.
std::string substitute(const Regex& regex, std::string_view replacement, std::string_view text);

}  // namespace lmpo::grade
