#include "judge/length_control.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "judge/win_rate.h"
#include "objective/objective.h"

namespace lmpo {
namespace {

// There are two gamed baselines; together they have weight 0.2 for each row of the model.
constexpr double kGamedWeight = 0.1;
constexpr std::int64_t kFolds = 5;

// sum_i p_i (tanh(z_i), d_i) over the 1,610 gamed rows. Their preferences are not in alpaca_eval's
// repository, but the weights of published models are, and a model's weights tell of this sum: it is
// known to about 0.05 from 41 models.
constexpr Features kPublishedGamedSum = {-182.7397027749494, 412.9116325263788, 0};

void add_scaled(Features& sum, double factor, const Features& features) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] += factor * features[i];
  }
}

LogisticProblem problem_of(std::span<const LabelledRow> rows) {
  LogisticProblem problem;
  for (const LabelledRow& row : rows) {
    problem.rows.push_back(row.row);
    add_scaled(problem.target_sum, row.row.weight * row.win_chance, row.row.features);
  }
  return problem;
}

// alpaca_eval clips predictions by this.
double clipped(double chance) {
  return std::clamp(chance, 1e-15, 1 - 1e-15);
}

double mean_log_likelihood(std::span<const LabelledRow> rows, const Features& weights) {
  double sum = 0;
  for (const LabelledRow& row : rows) {
    const double chance = clipped(sigmoid(linear_predictor(weights, row.row.features)));
    sum += row.row.weight *
           (row.win_chance * std::log(chance) + (1 - row.win_chance) * std::log(1 - chance));
  }
  return sum / static_cast<double>(rows.size());
}

// Groups of equal size, from the last to the first, go to the folds in turn.
std::int64_t fold_of(std::int64_t row, std::int64_t rows) {
  return (rows - 1 - row) % kFolds;
}

WeightedRow gamed_features(const GamedRow& row) {
  return {{std::tanh(row.length_difference), row.difficulty, 0}, kGamedWeight};
}

std::vector<double> length_differences(std::span<const LengthRow> rows) {
  std::vector<double> differences;
  for (const LengthRow& row : rows) {
    differences.push_back(static_cast<double>(row.baseline_length - row.model_length));
  }
  const double deviation = standard_deviation(differences);
  if (!(deviation > 0)) {
    user_error(
        "the length-controlled win rate needs outputs whose lengths differ from the baseline's by "
        "different amounts; these {} all differ alike",
        rows.size());
  }
  for (double& difference : differences) {
    difference /= deviation;
  }
  return differences;
}

std::vector<LabelledRow> labelled_rows(std::span<const LengthRow> rows) {
  const std::vector<double> differences = length_differences(rows);
  std::vector<LabelledRow> labelled;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double chance = win_chance(rows[i].preference);
    if (!std::isnan(chance)) {
      labelled.push_back({{{std::tanh(differences[i]), rows[i].difficulty, 1}, 1}, chance});
    }
  }
  return labelled;
}

Features fit_with_published_sum(std::span<const LabelledRow> rows, std::span<const GamedRow> gamed,
                                double penalty) {
  LogisticProblem problem = problem_of(rows);
  for (const GamedRow& row : gamed) {
    problem.rows.push_back(gamed_features(row));
  }
  add_scaled(problem.target_sum, kGamedWeight, kPublishedGamedSum);
  return fit_l1_logistic(problem, penalty);
}

LengthControl predict(std::span<const LengthRow> rows, const Features& weights, double penalty) {
  LengthControl result{.weights = weights, .penalty = penalty};
  for (const LengthRow& row : rows) {
    result.chances.push_back(sigmoid(linear_predictor(weights, {0, row.difficulty, 1})));
  }
  const auto [mean, error] = mean_error(result.chances);
  result.win_rate = 100 * mean;
  result.standard_error = 100 * error;
  return result;
}

}  // namespace

std::span<const double> penalty_grid() {
  static const std::vector<double> grid = [] {
    std::vector<double> values;
    for (int i = 0; i < 10; ++i) {
      values.push_back(std::pow(10.0, -4 + 8.0 * i / 9));
    }
    return values;
  }();
  return grid;
}

double cross_validated_penalty(std::span<const LabelledRow> rows) {
  const std::span<const double> grid = penalty_grid();
  std::vector<double> scores(grid.size(), 0);
  for (std::int64_t fold = 0; fold < kFolds; ++fold) {
    std::vector<LabelledRow> learnt;
    std::vector<LabelledRow> held_out;
    for (std::int64_t i = 0; i < std::ssize(rows); ++i) {
      const bool out = fold_of(i, std::ssize(rows)) == fold;
      (out ? held_out : learnt).push_back(rows[static_cast<std::size_t>(i)]);
    }
    const LogisticProblem problem = problem_of(learnt);
    for (std::size_t i = 0; i < grid.size(); ++i) {
      scores[i] += mean_log_likelihood(held_out, fit_l1_logistic(problem, grid[i]));
    }
  }
  return grid[static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin())];
}

LengthControl length_controlled(std::span<const LengthRow> rows, std::span<const GamedRow> gamed,
                                std::optional<double> penalty) {
  const std::vector<LabelledRow> own = labelled_rows(rows);
  const auto is_labelled = [](const GamedRow& row) { return row.win_chance.has_value(); };
  if (!std::ranges::all_of(gamed, is_labelled)) {
    LMPO_CHECK(penalty && std::ranges::none_of(gamed, is_labelled));
    return predict(rows, fit_with_published_sum(own, gamed, *penalty), *penalty);
  }
  std::vector<LabelledRow> all;
  for (const GamedRow& row : gamed) {
    all.push_back({gamed_features(row), *row.win_chance});
  }
  all.insert(all.end(), own.begin(), own.end());
  const double chosen = penalty ? *penalty : cross_validated_penalty(all);
  return predict(rows, fit_l1_logistic(problem_of(all), chosen), chosen);
}

}  // namespace lmpo
