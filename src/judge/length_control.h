// AlpacaEval 2's length-controlled win rate (Dubois et al., arXiv 2404.04475; alpaca_eval,
// metrics/glm_winrate.py, length_controlled_v1): what the win rate would be if both outputs were
// equally long.
//
// The chance that the model's output wins is regressed on x = [tanh(z), d, 1]. z is the difference of
// the outputs' lengths in code points, baseline minus model, over its standard deviation; d is the
// difficulty of the instruction. 1,610 rows of "gamed" baselines, which say the same at more or less
// length, join the regression with weight 0.1 and 0 in place of the 1: they keep the effect of length
// from being taken for the model's. The prediction has z = 0.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/mean_error.h"
#include "judge/l1_logistic.h"

namespace lmpo {

struct LengthRow {
  double preference = 0;  // see win_rate.h; a row without one is predicted and not learnt from
  std::int64_t baseline_length = 0;
  std::int64_t model_length = 0;
  double difficulty = 0;
};

struct GamedRow {
  double length_difference = 0;  // z
  double difficulty = 0;
  std::optional<double> win_chance = {};  // in [0, 1]
};

struct LengthControl {
  Features weights{};                // of tanh(z), of the difficulty, of 1
  double penalty = 0;                // C
  std::vector<double> chances = {};  // by row: that the model would win at equal length
  double win_rate = 0;               // percent
  double standard_error = 0;         // percent
};

// C: 10 numbers from 1e-4 to 1e4, evenly spaced in their logarithms.
std::span<const double> penalty_grid();

// The C whose fits predict best in 5-fold cross-validation: the first of the highest mean over the
// folds of mean(w log-likelihood). Folds are those of scikit-learn's GroupKFold, a row with its two
// outcomes being a group.
struct LabelledRow {
  WeightedRow row;
  double win_chance = 0;
};
double cross_validated_penalty(std::span<const LabelledRow> rows);

// The optimum for the penalty; without one, for that of cross-validation, for which every gamed row
// must have its win chance (LMPO_CHECK). Gamed rows either all have it or none: then the published sum
// of these rows is used. Throws UserError for fewer than two rows, or where all length differences are
// equal: then length cannot be controlled for.
LengthControl length_controlled(std::span<const LengthRow> rows, std::span<const GamedRow> gamed,
                                std::optional<double> penalty);

}  // namespace lmpo
