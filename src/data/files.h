// Which files the user means by the names of data.
#pragma once

#include <vector>

#include "data/source.h"

namespace lmpo {

// The files of a source, in order of names. A file stands for itself; a pattern for the files it
// matches; a folder for its split (dataset_folder.h). What does not exist but looks like the name
// of a dataset, owner/name, is looked for in the Hub's cache. Throws UserError for a name that
// stands for nothing, and says what is there instead. A file that does not exist is left to its
// reader.
std::vector<fs::path> find_data_files(const DataSource& source, DataPurpose purpose);

// A source with its files: folders are scanned once a start.
struct SourceFiles {
  DataSource source;
  std::vector<fs::path> files;
};
// Of each source, in order. UserError as above.
std::vector<SourceFiles> find_sources(const std::vector<DataSource>& sources, DataPurpose purpose);

}  // namespace lmpo
