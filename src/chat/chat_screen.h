// What lmpo chat shows: answers on standard output, its own messages on standard error.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "generate/chat_partner.h"

namespace lmpo {

// On narrower terminals the answers of two models follow each other.
inline constexpr int kSideBySide = 90;  // columns

// A model's text without control sequences of terminals; "\t" becomes spaces.
std::string harmless(std::string_view text);

// Shows the answers that the partners have begun, piece by piece, until all end or `interrupted`
// returns true. Two answers are shown side by side if the terminal is wide enough.
void show_answers(const std::vector<ChatPartner*>& partners,
                  const std::function<bool()>& interrupted);

// Shows a message of the program on a line of its own.
void show_note(std::string_view text);

}  // namespace lmpo
