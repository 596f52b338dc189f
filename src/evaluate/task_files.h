// The documents of a task, from files that the user has.
#pragma once

#include <vector>

#include "base/file.h"
#include "evaluate/task.h"

namespace lmpo {

// The rows of a split of the task's dataset, in order. Looks, in this order, into each of `places`:
// a folder OWNER/NAME or NAME of the dataset, a file TASK_SPLIT.jsonl, .json, .csv or .parquet; or a
// file of that name itself, or any file where the task has no dataset; then into the Hub's cache.
// UserError that says where the dataset comes from and what was looked for, that names a split or
// configuration that is not there, or a file without the columns that the task reads.
std::vector<Document> read_documents(const TaskInfo& task, const std::string& split,
                                     const std::vector<fs::path>& places);

}  // namespace lmpo
