#include "judge/alpaca_score.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/log.h"
#include "base/readable.h"

namespace lmpo {
namespace {

// Half of the published models have this penalty; another of the grid moves the length-controlled win
// rate by at most 0.15 points.
constexpr double kUsualPenalty = 2.782559402207126;

std::vector<LengthRow> length_rows(const Annotations& annotations,
                                   std::span<const double> difficulties) {
  const std::vector<std::string> baseline = annotations.outputs("output_1");
  const std::vector<std::string> model = annotations.outputs("output_2");
  std::vector<LengthRow> rows;
  for (std::size_t i = 0; i < baseline.size(); ++i) {
    rows.push_back({.preference = annotations.rows[i].preference,
                    .baseline_length = code_points(baseline[i]),
                    .model_length = code_points(model[i]),
                    .difficulty = difficulties[i]});
  }
  return rows;
}

void warn_of_missing(const Annotations& annotations, std::int64_t preferences) {
  const std::int64_t rows = std::ssize(annotations.rows);
  if (preferences == 0) {
    user_error("none of the {} has a preference: there is nothing to score",
               counted(rows, "annotation"));
  }
  if (preferences < rows) {
    log_warning("{} of {} have no preference and do not count", rows - preferences,
                counted(rows, "annotation"));
  }
}

LengthControl control_length(const Annotations& annotations, const LengthControlInput& input) {
  const std::size_t rows = annotations.rows.size();
  if (rows > input.difficulties.size()) {
    user_error(
        "there are {} annotations and difficulties of {} instructions: they are not of the "
        "same evaluation set",
        rows, input.difficulties.size());
  }
  if (rows < input.difficulties.size()) {
    log_warning(
        "{} annotations, {} instructions in the set: as in alpaca_eval, difficulties go by the "
        "row, "
        "so rows after a missing one have their neighbour's",
        rows, input.difficulties.size());
  }
  return length_controlled(length_rows(annotations, input.difficulties), input.gamed.rows,
                           input.penalty);
}

// A model that is its own baseline is at 50 by construction.
LengthControl control_of_baseline(std::size_t rows) {
  return {.chances = std::vector<double>(rows, 0.5), .win_rate = 50};
}

MeanError in_points(std::span<const double> differences) {
  const auto [mean, error] = mean_error(differences);
  return {100 * mean, 100 * error};
}

}  // namespace

LengthControlInput read_length_control(const fs::path& gamed, const fs::path& difficulty,
                                       std::optional<double> penalty) {
  LengthControlInput input{.gamed = read_gamed(gamed), .penalty = penalty};
  input.difficulties =
      difficulty.empty() ? input.gamed.difficulties : read_difficulties(difficulty);
  if (input.difficulties.empty()) {
    user_error(
        "{}: there is no column 'index', so instructions have no difficulty: give "
        "instruction_difficulty.csv by --difficulty",
        gamed.string());
  }
  if (!input.gamed.rows.front().win_chance && !penalty) {
    input.penalty = kUsualPenalty;
    log_warning(
        "{}: without a column 'preference' the penalty cannot be chosen by cross-validation; "
        "{:.4f} is "
        "used, as for half of the published models (others differ by at most 0.15 points). "
        "df_gamed.csv has that column",
        gamed.string(), kUsualPenalty);
  }
  return input;
}

AlpacaScore score_alpaca(const Annotations& annotations, const LengthControlInput* input) {
  AlpacaScore score{.model = annotations.model};
  score.rates = win_rates(annotations.preferences());
  score.average_length = average_length(annotations.outputs("output_2"));
  warn_of_missing(annotations, score.rates.total);
  if (input != nullptr) {
    score.length_control = annotations.model == annotations.baseline
                               ? control_of_baseline(annotations.rows.size())
                               : control_length(annotations, *input);
  }
  return score;
}

std::string alpaca_table(std::span<const AlpacaScore> scores) {
  std::size_t width = 5;
  for (const AlpacaScore& score : scores) {
    width = std::max(width, score.model.size());
  }
  std::string text =
      fmt::format("{:<{}}  {:>9}  {:>5}  {:>8}  {:>5}  {:>8}  {:>5}  {:>6}\n", "model", width,
                  "LC win %", "±", "win %", "±", "discrete", "n", "length");
  for (const AlpacaScore& score : scores) {
    const auto& control = score.length_control;
    text +=
        fmt::format("{:<{}}  {:>9}  {:>5}  {:>8.2f}  {:>5.2f}  {:>8.2f}  {:>5}  {:>6}\n",
                    score.model, width, control ? fmt::format("{:.2f}", control->win_rate) : "-",
                    control ? fmt::format("{:.2f}", control->standard_error) : "-",
                    score.rates.win_rate, score.rates.standard_error, score.rates.discrete_win_rate,
                    score.rates.total, score.average_length);
  }
  return text;
}

AlpacaDifference difference_of(const ScoredAnnotations& first, const ScoredAnnotations& second) {
  if (first.annotations.baseline != second.annotations.baseline) {
    user_error("the annotations have different baselines, '{}' and '{}'",
               first.annotations.baseline, second.annotations.baseline);
  }
  std::map<std::string, std::size_t> rows;
  for (std::size_t i = 0; i < second.annotations.rows.size(); ++i) {
    rows[second.annotations.rows[i].row.at("instruction").get<std::string>()] = i;
  }
  const bool controlled = first.score.length_control && second.score.length_control;
  std::vector<double> raw;
  std::vector<double> at_equal_length;
  for (std::size_t i = 0; i < first.annotations.rows.size(); ++i) {
    const Annotation& row = first.annotations.rows[i];
    const auto found = rows.find(row.row.at("instruction").get<std::string>());
    if (found == rows.end()) {
      continue;
    }
    const double difference =
        win_chance(row.preference) - win_chance(second.annotations.rows[found->second].preference);
    if (!std::isnan(difference)) {
      raw.push_back(difference);
    }
    if (controlled) {
      at_equal_length.push_back(first.score.length_control->chances[i] -
                                second.score.length_control->chances[found->second]);
    }
  }
  if (raw.empty()) {
    user_error("the annotations have no instruction in common");
  }
  return {
      .instructions = std::ssize(raw),
      .win_rate = in_points(raw),
      .length_controlled = controlled ? std::optional(in_points(at_equal_length)) : std::nullopt};
}

}  // namespace lmpo
