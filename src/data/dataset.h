// Files in, trees out: the whole way from rows to tokens.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/columns.h"
#include "data/drops.h"
#include "data/files.h"
#include "data/options.h"
#include "data/row_notes.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"
#include "tree/tree.h"

namespace lmpo {

struct Dataset {
  // In the order of the rows, whatever the number of threads. For preference rows a tree has two
  // sequences, chosen and rejected; for SFT one.
  std::vector<Tree> trees;
  DropCounts drops;
  std::int64_t rows = 0;             // kept and dropped
  std::int64_t id_limit = 0;         // of the tokenizer: one more than its largest id
  std::vector<SourceFiles> sources;  // what the rows were read from; trees name rows over all

  // Kept rows, by what was done to them; for the log.
  std::int64_t conversations = 0;
  std::int64_t truncated = 0;
  // Kept pairs whose responses became the same tokens by truncation, as TRL keeps them.
  std::int64_t identical_after_truncation = 0;
  std::int64_t token_spans_boundary = 0;
  std::int64_t special_tokens_in_texts = 0;
  NoteCounts notes;
  UnusedColumns unused_columns;
  // Of rows whose responses truncation left nothing of: tokens of the longest sequence.
  std::vector<std::int64_t> too_long;
};

// Takes the trees as they are made, in the order of the rows.
using TreeSink = std::function<void(Tree&&)>;

// A row as those who look at data see it.
struct RowSeen {
  std::int64_t row = 0;
  std::string location;  // "FILE:18"
  bool conversational = false;
  bool desirable = true;
  bool truncated = false;
  // Before truncation, scored_begin as the boundary put it; empty for a row that was dropped before
  // it had tokens.
  std::vector<Sequence> whole;
  const Tree* tree = nullptr;         // what is kept of it, and null for
  std::optional<DropReason> dropped;  // a row that is dropped
};

// Looks at every row, in order, before its tree goes on.
using RowObserver = std::function<void(const RowSeen&)>;

// Reads the sources in order, as one data set: a row's index goes on counting from file to file.
// Rows are parsed one by one, brought to one form (schema.h), tokenized (boundary.h) in parallel
// and cut (truncation.h). A sequence's first token is never scored, since nothing precedes it. Row
// texts are not kept. Of a source whose weight is not whole, the first part of its rows is used
// (once more). With a sink the trees go there and not into the result. `chat_template` may be null,
// see RowTokenizer. UserError for bad options, a row that cannot be read, a template that raises,
// and files without rows.
Dataset load_dataset(const std::vector<SourceFiles>& sources, const Tokenizer& tokenizer,
                     const ChatTemplate* chat_template, const DataOptions& options,
                     const TreeSink& sink = {}, const RowObserver& observer = {});
// The same for sources as they are named: of folders the training split.
Dataset load_dataset(const std::vector<DataSource>& sources, const Tokenizer& tokenizer,
                     const ChatTemplate* chat_template, const DataOptions& options,
                     const RowObserver& observer = {});

// Takes rows out of the data and gives them back as data of their own, for evaluation: `size` of
// the trees, or that part of them where it is below 1, chosen by the seed alone. Both keep the
// order of the rows. Throws UserError where nothing would be left on either side.
Dataset hold_out(Dataset& data, double size, std::uint64_t seed);

// What would keep rows that truncation dropped, for example "--max_length 1024 keeps 37 of them
// whole"; "" where there are none.
std::string drop_advice(const Dataset& dataset, const DataOptions& options);

// Says in the log how many rows there are, which were dropped and why, whether the template was
// applied, which boundary and truncation were in force. `what` names the data, such as "train
// data".
void log_dataset(const Dataset& dataset, const DataOptions& options, std::string_view what);

}  // namespace lmpo
