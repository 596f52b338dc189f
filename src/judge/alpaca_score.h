// What a model's annotations come to.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "judge/alpaca_files.h"

namespace lmpo {

// What length control is made from.
struct LengthControlInput {
  GamedBaselines gamed = {};
  std::vector<double> difficulties = {};  // by the row of the annotations
  std::optional<double> penalty = {};     // C; none: by cross-validation
};
// `difficulty`: a file, in place of the gamed rows' own difficulties. Where the gamed rows have no
// preferences, the penalty cannot be chosen: then the one that most published models have is used, and
// a warning says so. UserError for files of another content.
LengthControlInput read_length_control(const fs::path& gamed, const fs::path& difficulty,
                                       std::optional<double> penalty);

struct AlpacaScore {
  std::string model = {};
  WinRates rates = {};
  std::int64_t average_length = 0;  // of the outputs, in code points
  std::optional<LengthControl> length_control = {};
};
// `input` null: without length control. Rows without a preference are counted in a warning. UserError
// where there are more rows than difficulties, or no preference at all.
AlpacaScore score_alpaca(const Annotations& annotations, const LengthControlInput* input);

// For a terminal: a line a model.
std::string alpaca_table(std::span<const AlpacaScore> scores);

// The first model minus the second over the instructions that both have, in points, with the errors of
// paired differences.
struct AlpacaDifference {
  std::int64_t instructions = 0;
  MeanError win_rate = {};
  std::optional<MeanError> length_controlled = {};
};
struct ScoredAnnotations {
  const Annotations& annotations;
  const AlpacaScore& score;
};
// UserError where they have no instruction in common, or other baselines.
AlpacaDifference difference_of(const ScoredAnnotations& first, const ScoredAnnotations& second);

}  // namespace lmpo
