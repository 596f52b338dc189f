#pragma once

#include "base/file.h"

namespace lmpo {

// Where files lie that no later run needs: $TMPDIR, else /tmp. UserError that names it where there
// is no such folder.
fs::path temporary_folder();

}  // namespace lmpo
