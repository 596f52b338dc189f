// LLaMA-Factory's list of datasets: what the names in its recipes stand for.
#pragma once

#include <vector>

#include "data/source.h"

namespace lmpo {

// The source with what `folder`/dataset_info.json says of its name: file or dataset of the Hub,
// split, number of rows, names of columns. A source that is a file or folder stays as it is. Throws
// UserError for a name that is not in the list and for what is not supported.
DataSource look_up_dataset(const DataSource& source, const fs::path& folder);

}  // namespace lmpo
