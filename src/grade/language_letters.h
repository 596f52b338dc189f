// Letters as the language profiles know them.
#pragma once

#include <string>

namespace lmpo::grade {

// One character for a vowel and the tone mark after it, as Vietnamese is written.
std::u32string with_vietnamese_letters(const std::u32string& characters);

// What stands for a character in the profiles: a space for what is no letter, one character for
// all of a script whose letters do not tell languages apart.
char32_t normal_letter(char32_t character);

bool is_capital(char32_t character);

}  // namespace lmpo::grade
