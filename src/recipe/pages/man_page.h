// Manual pages in roff, with the macros of man(7): lmpo.1, and one for each command.
#pragma once

#include <span>
#include <string>

#include "recipe/command_description.h"
#include "recipe/pages/program.h"

namespace lmpo {

// lmpo.1
std::string program_man_page(const ProgramDescription& program,
                             std::span<const ListedCommand> commands);
// lmpo-train.1
// "lmpo-train", "lmpo-eval-alpaca"
std::string command_page_name(std::string command);
std::string command_man_page(const ListedCommand& command, const std::string& version);

// Text that roff shows as it is: no request, no escape, and "-" as the shell's.
std::string roff_escaped(std::string_view text);

}  // namespace lmpo
