// What help and the manual tell of the program as a whole.
#pragma once

#include "recipe/pages/man_page.h"

namespace lmpo {

ProgramDescription program_description();

}  // namespace lmpo
