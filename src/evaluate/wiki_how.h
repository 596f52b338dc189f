// Texts of WikiHow, as HellaSwag and others clean them. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace lmpo {

// Without white space around it, with ". " for " [title]", without other marks in brackets, and with
// one space for each two.
std::string without_wiki_how_marks(std::string_view text);

}  // namespace lmpo
