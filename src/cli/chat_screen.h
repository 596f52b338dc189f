// What lmpo chat shows: answers on standard output, its own words on standard error.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "generate/chat_partner.h"

namespace lmpo {

// Narrower terminals show the answers of two models one after the other.
inline constexpr int kSideBySide = 90;  // columns

// A model's text without anything that a terminal would obey; "\t" becomes spaces.
std::string harmless(std::string_view text);

// Shows the answers that the partners have begun as they come, until all have ended or
// `interrupted`. Two stand side by side on a terminal that is wide enough.
void show_answers(const std::vector<ChatPartner*>& partners,
                  const std::function<bool()>& interrupted);

// The program's own words, in lines of their own.
void show_note(std::string_view text);

}  // namespace lmpo
