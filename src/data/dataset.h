// Files in, trees out: the whole way from rows to tokens.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/drops.h"
#include "data/options.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "tree/tree.h"

namespace lmpo {

struct Dataset {
  // In the order of the rows, whatever the number of threads. For preference rows a tree has two
  // sequences, chosen and rejected; for SFT one.
  std::vector<Tree> trees;
  DropCounts drops;
  std::int64_t rows = 0;  // kept and dropped

  // Kept rows, by what was done to them; for the log.
  std::int64_t conversations = 0;
  std::int64_t truncated = 0;
  // Kept pairs whose responses became the same tokens by truncation, as TRL keeps them.
  std::int64_t identical_after_truncation = 0;
  std::int64_t token_spans_boundary = 0;
  std::int64_t rendered_together = 0;
};

// Reads the files (or folders and patterns, see files.h) in order, as one data set: a row's index
// goes on counting from file to file. Rows are parsed one by one, brought to one form (schema.h),
// tokenized (boundary.h) in parallel and cut (truncation.h). A sequence's first token is never
// scored, since nothing precedes it. Row texts are not kept. Throws UserError for bad options, a
// row that cannot be read, a template that raises, and files without rows. `chat_template` may be
// null, see RowTokenizer.
Dataset load_dataset(const std::vector<fs::path>& files, const Tokenizer& tokenizer,
                     const ChatTemplate* chat_template, const DataOptions& options);

// Says in the log how many rows there are, which were dropped and why, whether the template was
// applied, which boundary and truncation were in force. `what` names the data, such as "train
// data".
void log_dataset(const Dataset& dataset, const DataOptions& options, std::string_view what);

}  // namespace lmpo
