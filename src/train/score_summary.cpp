#include "train/score_summary.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "objective/pair.h"

namespace lmpo {
namespace {

constexpr std::size_t kNamedRows = 20;

std::string rows_text(std::span<const std::int64_t> rows) {
  const auto named = rows.first(std::min(rows.size(), kNamedRows));
  return fmt::format(
      "{}{}", fmt::join(named, ", "),
      named.size() < rows.size() ? fmt::format(" and {} more", rows.size() - named.size()) : "");
}

ordered_json score_line(const Tree& tree, std::span<const double> sums) {
  return {{"row", tree.row},
          {"prompt_tokens", tree.sequences[0].scored_begin},
          {"chosen_tokens", tree.sequences[0].scored_tokens()},
          {"rejected_tokens", tree.sequences[1].scored_tokens()},
          {"chosen_logp", sums[0]},
          {"rejected_logp", sums[1]}};
}

}  // namespace

void ScoreSummary::add(const Tree& pair, std::span<const double> sums) {
  LMPO_CHECK(pair.sequences.size() == 2 && sums.size() == 2);
  if (!std::isfinite(sums[0]) || !std::isfinite(sums[1])) {
    not_finite_.push_back(pair.row);
    return;
  }
  const ResponseScore chosen = {.logp = sums[0], .tokens = pair.sequences[0].scored_tokens()};
  const ResponseScore rejected = {.logp = sums[1], .tokens = pair.sequences[1].scored_tokens()};
  const double margin = chosen.logp - rejected.logp;
  const double margin_per_token = average_logp(chosen) - average_logp(rejected);
  Metrics metrics = {{"accuracy/sum", margin > 0 ? 1.0 : 0.0},
                     {"accuracy/per_token", margin_per_token > 0 ? 1.0 : 0.0},
                     {"margin/sum", margin},
                     {"margin/per_token", margin_per_token}};
  add_response_metrics(metrics, kChosen, chosen);
  add_response_metrics(metrics, kRejected, rejected);
  sums_.add(metrics);
  ++scored_;
}

void ScoreSummary::require_finite() const {
  if (not_finite_.empty()) {
    return;
  }
  std::vector<std::int64_t> rows = not_finite_;
  std::ranges::sort(rows);
  user_error(
      "row{} {} (counted from 0): the log-probabilities are not finite, so no scores are written. "
      "A value overflows in the model: try --dtype float32 --compute float32, or look at the data",
      rows.size() == 1 ? "" : "s", rows_text(rows));
}

ordered_json ScoreSummary::to_json(const Dataset& dataset) const {
  ordered_json summary = {
      {"rows", dataset.rows}, {"scored", scored_}, {"dropped", dataset.drops.total()}};
  for (const auto& [name, mean] : sums_.means()) {
    summary[name] = mean;
  }
  return summary;
}

std::vector<std::string> ScoreSummary::lines(const Dataset& dataset) const {
  std::vector<std::string> lines = {fmt::format("{} row{}: {} scored, {} dropped", dataset.rows,
                                                dataset.rows == 1 ? "" : "s", scored_,
                                                dataset.drops.total())};
  if (scored_ == 0) {
    return lines;
  }
  const auto means = sums_.means();
  const auto of = [&](const char* name) { return means.at(name); };
  lines.push_back(fmt::format("the chosen response is the likelier: {:.1f}%; per token: {:.1f}%",
                              100 * of("accuracy/sum"), 100 * of("accuracy/per_token")));
  lines.push_back(fmt::format("margin of log-probabilities: {:.4g}; per token: {:.4g}",
                              of("margin/sum"), of("margin/per_token")));
  for (const char* side : {"chosen", "rejected"}) {
    const auto mean = [&](const char* name) { return means.at(fmt::format("{}/{}", name, side)); };
    lines.push_back(
        fmt::format("{:<8}  mean log-probability {:.4g}; per token {:.4g}; mean length {:.1f} "
                    "tokens",
                    side, mean("logps_sum"), mean("logps_per_token"), mean("lengths")));
  }
  return lines;
}

std::string score_rows(Scorer& scorer, const Dataset& dataset, const PackLimits& limits,
                       ScoreSummary& summary) {
  std::map<std::int64_t, ordered_json> lines;  // by row
  for (const Drop& drop : dataset.drops.drops()) {
    lines[drop.row] = {{"row", drop.row}, {"dropped", name(drop.reason)}};
  }
  scorer.score(dataset.trees, limits, [&](std::size_t index, std::span<const double> sums) {
    const Tree& tree = dataset.trees[index];
    lines[tree.row] = score_line(tree, sums);
    summary.add(tree, sums);
  });
  summary.require_finite();
  std::string all;
  for (const auto& [row, line] : lines) {
    all += line.dump() + "\n";
  }
  return all;
}

}  // namespace lmpo
