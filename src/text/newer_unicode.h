// The characters that Unicode 15, 15.1 and 16 added. PCRE2 10.42 knows Unicode 14 and takes them
// for unassigned, while the regular expressions of `tokenizers` and tiktoken know them.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// Whether a text, valid UTF-8, has one of them.
bool has_newer_character(std::string_view text);

// A pattern in PCRE2's syntax whose general categories (\p{L}, \p{Lu}, ..., not \p{C}) and
// \p{Alphabetic} hold the newer characters too. Equal to the pattern where it names none.
// \P{...} within a class stays as it is.
std::string with_newer_characters(std::string_view pattern);

}  // namespace lmpo
