// The program as a whole, for help and manual.
#pragma once

#include "recipe/pages/man_page.h"

namespace lmpo {

ProgramDescription program_description();

}  // namespace lmpo
