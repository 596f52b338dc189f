// The program as a whole, for help and manual.
#pragma once

#include <string>

namespace lmpo {

// What the program's own page tells besides its commands.
struct ProgramDescription {
  std::string version;
  std::string summary;      // for NAME, without a full stop
  std::string environment;  // lines as they are, as in the parts below
  std::string exit_codes;
  std::string examples;
};

ProgramDescription program_description(std::string version);

}  // namespace lmpo
