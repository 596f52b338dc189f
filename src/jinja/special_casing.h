// Characters that become several in capitals: the German sharp s, ligatures, Greek with iota.
#pragma once

#include <string_view>

namespace lmpo::jinja {

// The character in upper case, or in title case; "" if that is one character.
std::string_view special_upper(char32_t character);
std::string_view special_title(char32_t character);

}  // namespace lmpo::jinja
