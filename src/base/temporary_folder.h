#pragma once

#include "base/file.h"

namespace lmpo {

// The folder for files that no later run needs: $TMPDIR, else /tmp. Throws UserError if it does
// not exist.
fs::path temporary_folder();

}  // namespace lmpo
