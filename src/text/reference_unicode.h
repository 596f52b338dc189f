// What the library `tokenizers` knows of a character. Its tables come from versions of Unicode
// between 8 and 17, those of utf8proc from Unicode 15; here utf8proc is asked, and the differences
// are lists.
#pragma once

#include <string>

namespace lmpo {

// Whether the normalization forms change nothing at a character and keep its neighbours apart,
// other than utf8proc does. Mostly characters that are newer than their tables.
bool normalizes_alone(char32_t character);

// A combining mark (general category M), punctuation (P, and all such signs of ASCII), a number
// (N).
bool is_combining_mark(char32_t character);
bool is_punctuation(char32_t character);
bool is_number(char32_t character);

// Appends the lower case of a character, whatever stands around it.
void append_lower_case(std::string& text, char32_t character);

}  // namespace lmpo
