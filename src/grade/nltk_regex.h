// Regular expressions as the Python package `regex` reads them, which nltk 3.10 uses.
#pragma once

#include <string>
#include <string_view>

#include "text/regex.h"

namespace lmpo::grade {

// In a pattern for nltk_regex(), @w and @s are members of classes: what is in words (Unicode's
// technical standard 18), and white space.
Regex nltk_regex(std::string_view pattern);

}  // namespace lmpo::grade
