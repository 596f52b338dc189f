#include "grade/nltk_regex.h"

#include "grade/python_text.h"

namespace lmpo::grade {

Regex nltk_regex(std::string_view pattern) {
  // PCRE2's \s has U+180E besides.
  const std::string spaces = replace(pattern, "@s", R"(\p{White_Space})");
  return Regex(
      "(?-m)" + replace(spaces, "@w", R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d})"),
      "nltk");
}

}  // namespace lmpo::grade
