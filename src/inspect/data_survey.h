// Builds a DataReport row by row.
#pragma once

#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "inspect/data_report.h"
#include "inspect/turn_ends.h"
#include "text/tokenizer.h"

namespace lmpo {

struct SurveyOptions {
  DataOptions data = {};
  // The rows to show; if empty, the first `show` rows.
  std::vector<std::int64_t> rows = {};
  std::int64_t show = 3;
  std::int64_t show_tokens = 400;  // shown of a prompt or a response; 0: all
  // Ids that end a turn, that is, at which generation stops.
  std::vector<std::int64_t> stop_ids = {};
  bool has_template = false;
};

// Not thread-safe. The tokenizer must outlive it.
class DataSurvey {
 public:
  DataSurvey(const Tokenizer& tokenizer, SurveyOptions options)
      : tokenizer_(tokenizer),
        options_(std::move(options)),
        turn_ends_(tokenizer, options_.stop_ids) {}

  // The observer of load_dataset.
  void add(const RowSeen& seen);
  // Call once, after all rows. UserError if a row to show does not exist.
  DataReport finish(const Dataset& dataset);

 private:
  void add_lengths(const RowSeen& seen);
  void add_truncation(const RowSeen& seen);
  void add_duplicates(const RowSeen& seen);
  void add_warnings(const Dataset& dataset, DataReport& report) const;

  const Tokenizer& tokenizer_;
  SurveyOptions options_;
  TurnEnds turn_ends_;
  DataReport report_;
  std::vector<std::int64_t> prompts_;
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> responses_;  // by name
  std::vector<std::int64_t> differences_;
  std::unordered_set<std::string> row_hashes_;
  std::unordered_set<std::string> prompt_hashes_;
  std::int64_t kept_plain_ = 0;
};

}  // namespace lmpo
