// Several answers to each prompt, as written by `lmpo generate --output`, scores for the answers,
// and preference pairs made from both. docs/formats.md describes the files.
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
  // Matches scores to samples: `id`, else `index`, as JSON; else the row's position in the file.
  std::string key;
  std::string location;  // for messages
  Turns prompt;          // a text is the user's turn
  std::vector<std::string> responses;
  ordered_json inputs = nullptr;  // tools and switches, see text/template_inputs.h; null for none
};

// Reads {"prompt": text or messages, "responses": [texts]}, which may have `system`, `tools` and
// `chat_template_kwargs`. Throws UserError with the location for
// anything else.
Samples parse_samples(const SourceRow& row);
// Reads a file of any format of read_rows, in its order. Throws UserError if two samples have the
// same key, or if there are none.
std::vector<Samples> read_samples(const fs::path& file);

// One number per response.
using Scores = std::vector<double>;

// Collects the rows of a scores file, {"scores": [numbers]} with the key of their samples, in any
// order.
class ScoreTable {
 public:
  // The samples must outlive it.
  explicit ScoreTable(std::span<const Samples> samples);

  // Throws UserError with the location if no samples have this key, if they have scores already, or
  // if there is not one number per response.
  void add(const SourceRow& row);
  // In the order of the samples. Throws UserError with `source` if some samples have no scores.
  std::vector<Scores> take(std::string_view source);

 private:
  std::span<const Samples> samples_;
  std::map<std::string, std::size_t> index_;  // by key
  std::vector<Scores> scores_;
};

std::vector<Scores> read_scores(const fs::path& file, std::span<const Samples> samples);

// A preference row of schema.h: the response with the highest score as chosen, the one with the
// lowest as rejected (of equal scores the first), with their scores. Or the reason why there is
// none: single_response, tied_scores (all are equal), or a reason of normalise_row.
std::variant<ordered_json, DropReason> best_and_worst(const Samples& samples, const Scores& scores);

// The samples with all scores: a ranked row of schema.h, also readable as samples and as scores.
ordered_json scored_row(const Samples& samples, const Scores& scores);

// The same of all samples, as JSON Lines. `drops` counts samples without a pair by their place.
struct PairLines {
  std::string lines;
  DropCounts drops;
};
PairLines pair_lines(std::span<const Samples> samples, std::span<const Scores> scores);
std::string scored_lines(std::span<const Samples> samples, std::span<const Scores> scores);

}  // namespace lmpo
