// From a data source to its files.
#pragma once

#include <vector>

#include "data/source.h"

namespace lmpo {

// The files of a source, sorted by name: a file itself, the files that match a pattern, or the
// chosen split of a folder (dataset_folder.h). A path that does not exist but looks like owner/name
// is looked up as a dataset in the Hub's cache. Throws UserError if nothing is found and says what
// is there instead. A missing file is returned as it is: its reader reports it.
// Not affected by the slice of a split (split_slice.h).
std::vector<fs::path> find_data_files(const DataSource& source, DataPurpose purpose);

// A source with its files: folders are scanned once a start.
struct SourceFiles {
  DataSource source;
  std::vector<fs::path> files;
};
// Of each source, in order. UserError as above.
std::vector<SourceFiles> find_sources(const std::vector<DataSource>& sources, DataPurpose purpose);

}  // namespace lmpo
