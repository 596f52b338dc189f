// Scores of Arena-Hard (Li et al., arXiv 2406.11939): from the judge's verdicts to win rates with
// intervals.
//
// A question is two games against the baseline: in the first the baseline is assistant A, in the
// second the model is. There are two sets of rules (arena-hard-auto, show_result.py and
// gen_judgment.py):
//
//             v0.1 (2024, as papers report)             v2 (since 2025)
//   verdict   the one label in double brackets;         the last label in double brackets of the
//             two different ones are none               upper-cased text, else in single brackets
//   no label  that game does not count                  the question does not count
//   labels    A>>B A>B A=B B>A B>>A                     also A<B, A<<B, B=A, B<A, B<<A
//   score     the Bradley-Terry model's win rate, here  mean of the bootstrap's means
//             exactly (wins + ties / 2) / rows
//   interval  2.5% and 97.5% of ratings over rows of    5% and 95% of means over rows of one model
//             all models together
//
// In both, ">>" counts as three rows.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lmpo {

enum class ArenaRules { v01, v2 };

// "A>>B", or nothing.
std::optional<std::string> verdict_label(std::string_view judgment, ArenaRules rules);
// Whether the judge is asked to go on: there is no label at all, and the rules are v0.1's.
bool lacks_label(std::string_view judgment, ArenaRules rules);
bool counts_as_label(std::string_view label, ArenaRules rules);

using GameLabels = std::array<std::optional<std::string>, 2>;

// The rows of a question: 1 where the model wins, 0.5 for a tie, 0 where the baseline wins.
std::vector<double> game_rows(const GameLabels& labels, ArenaRules rules);

struct ArenaModel {
  std::string name = {};
  std::vector<double> rows = {};  // at least one
};

// In percent.
struct ArenaScore {
  std::string name = {};
  double score = 0;
  double lower = 0;
  double upper = 0;
  std::int64_t rows = 0;
};

// In the order of the models. The same seed gives the same intervals. With v0.1's rules a model's
// interval also depends on which others there are, as rows are drawn from all models together.
std::vector<ArenaScore> arena_scores(std::span<const ArenaModel> models, ArenaRules rules,
                                     std::int64_t rounds, std::uint64_t seed);

// numpy's percentile, `share` from 0 to 1: linear between the two nearest. At least one value.
double percentile(std::vector<double> values, double share);

// A rating of 1000 is the baseline's; 400 more are ten to one.
double rating_of(double win_rate);
double win_rate_of(double rating);

}  // namespace lmpo
