// lmpo --complete INDEX WORD...: what may stand in place of a word of a command line. The shells'
// scripts ask it, see recipe/pages/completion.h.
#pragma once

#include <string>
#include <vector>

namespace lmpo {

// `arguments` are those after --complete. Throws UserError where the index is not that of a word
// after the first.
std::string complete_line(const std::vector<std::string>& arguments);

}  // namespace lmpo
