// Where tests find things. Functions of one small library rather than macros, so that the compiler cache
// serves every checkout.
#pragma once

#include "base/file.h"

namespace lmpo {

// The checkout's top folder.
fs::path source_folder();
// The program as built.
fs::path lmpo_binary();

}  // namespace lmpo
