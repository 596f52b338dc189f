// Loads data files as trees of tokens.
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
  // In the order of the rows, for any number of threads. A tree of a preference row has two
  // sequences, chosen and rejected; a tree of an SFT row has one.
  std::vector<Tree> trees;
  DropCounts drops;
  std::int64_t rows = 0;             // kept and dropped
  std::int64_t id_limit = 0;         // the tokenizer's largest id, plus one
  std::vector<SourceFiles> sources;  // what the rows were read from; trees name rows over all

  // Numbers of kept rows, for the log.
  std::int64_t conversations = 0;
  std::int64_t truncated = 0;
  // Pairs whose responses are equal after truncation. They are kept, as in TRL.
  std::int64_t identical_after_truncation = 0;
  std::int64_t token_spans_boundary = 0;
  std::int64_t special_tokens_in_texts = 0;
  NoteCounts notes;
  UnusedColumns unused_columns;
  // Per row dropped for lack of space for a response: tokens of its longest sequence, untruncated.
  std::vector<std::int64_t> too_long;
};

// Receives each tree, in the order of the rows.
using TreeSink = std::function<void(Tree&&)>;

// A row for tools that show data.
struct RowSeen {
  std::int64_t row = 0;
  std::string location;  // "FILE:18"
  bool conversational = false;
  bool desirable = true;
  bool truncated = false;
  // Before truncation, with scored_begin at the boundary. Empty if the row was dropped before it
  // was tokenized.
  std::vector<Sequence> whole;
  const Tree* tree = nullptr;         // after truncation; null if the row was dropped
  std::optional<DropReason> dropped;  // why
};

// Called for every row, in order, before the sink receives its tree.
using RowObserver = std::function<void(const RowSeen&)>;

// Reads the sources in order as one data set; row indices count across files. Rows are parsed one
// by one, normalised (schema.h), tokenized (boundary.h) in parallel and truncated (truncation.h).
// The first token of a sequence is never scored, since nothing precedes it. Texts are not kept. If
// a source's weight has a fraction, that fraction of its rows, from the beginning, is used once
// more. With a sink, trees go to it and not into the result. `chat_template` may be null, see
// RowTokenizer. Throws UserError for invalid options, a row that cannot be read, an error in the
// template, and files without rows.
Dataset load_dataset(const std::vector<SourceFiles>& sources, const Tokenizer& tokenizer,
                     const ChatTemplate* chat_template, const DataOptions& options,
                     const TreeSink& sink = {}, const RowObserver& observer = {});
// The same for sources by name; of folders the training split is read.
Dataset load_dataset(const std::vector<DataSource>& sources, const Tokenizer& tokenizer,
                     const ChatTemplate* chat_template, const DataOptions& options,
                     const RowObserver& observer = {});

// Moves some trees of `data` into a data set of their own, for evaluation: `size` trees, or that
// fraction of them if it is below 1. Only the seed decides which. Both keep the order of the rows.
// What was counted of the rows stays with `data`. Throws UserError if either would be empty.
Dataset hold_out(Dataset& data, double size, std::uint64_t seed);

// Responses by their labels, of labelled data: a pair has one of each.
struct LabelCounts {
  std::int64_t desirable = 0;
  std::int64_t undesirable = 0;

  bool one_kind() const { return desirable == 0 || undesirable == 0; }
};
LabelCounts count_labels(const std::vector<Tree>& trees);

// Options that would keep rows which truncation dropped, for example "--max_length 1024 keeps 37 of
// 40 whole"; "" if truncation dropped none.
std::string drop_advice(const Dataset& dataset, const DataOptions& options);

// Logs the number of rows, the dropped rows with their reasons, whether the template was applied,
// which boundary and truncation were used, and what the user should know about the rows. `what`
// names the data, such as "train data".
void log_dataset(const Dataset& dataset, const DataOptions& options, std::string_view what);

}  // namespace lmpo
