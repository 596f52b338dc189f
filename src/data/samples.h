// Several answers to each prompt, as `lmpo generate --output` writes them, what someone thinks of
// each, and the preferences that follow (docs/formats.md).
#pragma once

#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/file.h"
#include "data/drops.h"
#include "data/reader.h"
#include "data/schema.h"

namespace lmpo {

struct Samples {
  // What scores find it by: the row's `id`, else its `index`, as JSON; else its place in the file.
  std::string key;
  std::string location;  // for messages
  Turns prompt;          // a text is the user's turn
  std::vector<std::string> responses;
};

// {"prompt": text or messages, "responses": [texts]}. UserError with the location for anything
// else.
Samples parse_samples(const SourceRow& row);
// In the order of the file, one of those that read_rows reads. UserError where two have the same
// key, or there are none.
std::vector<Samples> read_samples(const fs::path& file);

// One number a response.
using Scores = std::vector<double>;

// Takes the rows of a scores file, {"scores": [numbers]} with the key of their samples, in any
// order.
class ScoreTable {
 public:
  // The samples must outlive it.
  explicit ScoreTable(std::span<const Samples> samples);

  // UserError with the location for scores of no samples, of samples that have theirs, or that are
  // not one number a response.
  void add(const SourceRow& row);
  // In the order of the samples. UserError, naming `source`, where some have no scores.
  std::vector<Scores> take(std::string_view source);

 private:
  std::span<const Samples> samples_;
  std::map<std::string, std::size_t> index_;  // by key
  std::vector<Scores> scores_;
};

std::vector<Scores> read_scores(const fs::path& file, std::span<const Samples> samples);

// The best response as chosen, the worst as rejected (of equals the first), with their scores: a
// preference row of schema.h. Or why there is none: single_response, tied_scores where all are
// equally good, and what else normalise_row refuses of a preference.
std::variant<ordered_json, DropReason> best_and_worst(const Samples& samples, const Scores& scores);

// The samples with all their scores: a ranked row of schema.h, that is samples and scores at once.
ordered_json scored_row(const Samples& samples, const Scores& scores);

// The same of all samples, as JSON Lines. `drops` counts samples without a pair by their place.
struct PairLines {
  std::string lines;
  DropCounts drops;
};
PairLines pair_lines(std::span<const Samples> samples, std::span<const Scores> scores);
std::string scored_lines(std::span<const Samples> samples, std::span<const Scores> scores);

}  // namespace lmpo
