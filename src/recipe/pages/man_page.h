// Manual pages in roff, with the macros of man(7): lmpo.1, and one for each command.
#pragma once

#include <span>
#include <string>

#include "recipe/command_description.h"

namespace lmpo {

// What the program's own page tells besides its commands.
struct ProgramDescription {
  std::string version;
  std::string summary;      // for NAME, without a full stop
  std::string environment;  // lines as they are, as in the parts below
  std::string exit_codes;
  std::string examples;
};

// lmpo.1
std::string program_man_page(const ProgramDescription& program,
                             std::span<const ListedCommand> commands);
// lmpo-train.1
std::string command_man_page(const ListedCommand& command, const std::string& version);

// Text that roff shows as it is: no request, no escape, and "-" as the shell's.
std::string roff_escaped(std::string_view text);

}  // namespace lmpo
