// Characters that become several in capitals: the German sharp s, ligatures, Greek with iota.
#pragma once

#include <string_view>

namespace lmpo::jinja {

// The character in capitals, or with a capital at its beginning; "" where that is one character.
std::string_view special_upper(char32_t character);
std::string_view special_title(char32_t character);

}  // namespace lmpo::jinja
