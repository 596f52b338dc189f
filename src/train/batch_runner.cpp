#include "train/batch_runner.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace lmpo {
namespace {

BatchTotals totals_of(std::span<const Tree* const> batch, std::size_t nll_response, bool training) {
  BatchTotals totals;
  totals.examples = std::ssize(batch);
  totals.training = training;
  for (const Tree* tree : batch) {
    totals.nll_tokens += tree->sequences[nll_response].scored_tokens();
  }
  return totals;
}

std::vector<ResponseScore> scores_of(const Tree& tree, std::span<const double> sums) {
  std::vector<ResponseScore> scores;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    scores.push_back({.logp = sums[i],
                      .reference_logp = tree.reference_logps.empty() ? 0 : tree.reference_logps[i],
                      .tokens = tree.sequences[i].scored_tokens(),
                      .desirable = tree.desirable});
  }
  return scores;
}

bool all_finite(const std::vector<ResponseScore>& scores) {
  return std::all_of(scores.begin(), scores.end(),
                     [](const ResponseScore& score) { return std::isfinite(score.logp); });
}

// What each of the pack's trees scored.
std::vector<std::vector<ResponseScore>> split_by_tree(std::span<const Tree* const> trees,
                                                      const Pack& pack,
                                                      std::span<const double> sums) {
  std::vector<std::vector<ResponseScore>> scores;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const auto first = static_cast<std::size_t>(pack.tree_response[i]);
    const auto last = static_cast<std::size_t>(pack.tree_response[i + 1]);
    scores.push_back(scores_of(*trees[i], sums.subspan(first, last - first)));
  }
  return scores;
}

// Ends a forward pass whose scores cannot be used, before its backward pass spoils the gradients.
struct NotFinite {
  std::vector<std::vector<ResponseScore>> scores;
};

}  // namespace

BatchRunner::Scores BatchRunner::score(const Trees& batch, const PackLimits& limits,
                                       const PackScored& scored) {
  Scores scores(batch.size());
  for (const PackIndices& indices : cut_batch(batch, limits)) {
    Trees trees;
    for (const std::size_t index : indices) {
      trees.push_back(batch[index]);
    }
    const Pack pack = make_pack(trees);
    std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
    model_.score(pack, sums);
    if (scored) {
      scored(std::ssize(trees), pack.input_count());
    }
    Scores found = split_by_tree(trees, pack, sums);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      scores[indices[i]] = std::move(found[i]);
    }
  }
  return scores;
}

void BatchRunner::leave_out(Trees& batch, Scores& scores, BatchResult& result) const {
  Trees kept;
  Scores kept_scores;
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (all_finite(scores[i])) {
      kept.push_back(batch[i]);
      kept_scores.push_back(std::move(scores[i]));
    } else {
      rows.push_back(batch[i]->row);
    }
  }
  if (!rows.empty() && !skip_nonfinite_) {
    user_error(
        "the log-probabilities of the data's rows {} (counted from 0) are not finite: the run has "
        "diverged, or these rows break the model. Lower the learning rate, look at the rows, or "
        "leave such rows out with --skip_nonfinite",
        fmt::join(rows, ", "));
  }
  result.skipped.insert(result.skipped.end(), rows.begin(), rows.end());
  batch = std::move(kept);
  scores = std::move(kept_scores);
}

BatchResult BatchRunner::train(std::span<const Tree* const> batch, const PackLimits& limits,
                               const PackDone& done) {
  BatchResult result;
  const std::vector<PackIndices> packs = cut_batch(batch, limits);
  const auto count = std::ssize(packs);
  const auto tell = [&](const char* what, std::int64_t pack) {
    if (done && count > 1) {
      done(what, pack, count);
    }
  };
  Trees trees(batch.begin(), batch.end());
  Scores scores;
  if (objective_.needs_batch_scores()) {
    std::int64_t scored = 0;
    scores = score(trees, limits, [&](std::int64_t, std::int64_t) { tell("scoring", ++scored); });
    leave_out(trees, scores, result);
    if (trees.empty()) {
      return result;
    }
  }
  objective_.begin_step(totals_of(batch, objective_.nll_response(), true), scores);
  // The packs of the whole batch, as planned: what is left out brings no others together.
  places_.clear();
  for (const Tree* tree : trees) {
    places_.emplace(tree, std::ssize(places_));
  }
  std::int64_t trained = 0;
  for (const PackIndices& indices : packs) {
    Trees pack;
    for (const std::size_t index : indices) {
      if (places_.contains(batch[index])) {
        pack.push_back(batch[index]);
      }
    }
    if (!pack.empty()) {
      train_pack(std::move(pack), result);
    }
    tell("pack", ++trained);
  }
  return result;
}

void BatchRunner::train_pack(Trees trees, BatchResult& result) {
  const Pack pack = make_pack(trees);
  const auto seed = [&](std::span<const double> sums, std::span<double> seeds) {
    Scores scores = split_by_tree(trees, pack, sums);
    if (!std::all_of(scores.begin(), scores.end(), all_finite)) {
      throw NotFinite{std::move(scores)};
    }
    std::size_t first = 0;
    for (std::size_t i = 0; i < trees.size(); ++i) {
      objective_.turn_to(places_.at(trees[i]));
      result.loss +=
          objective_.evaluate(scores[i], seeds.subspan(first, scores[i].size()), result.metrics);
      first += scores[i].size();
    }
  };
  try {
    model_.train(pack, seed);
  } catch (NotFinite& refused) {
    leave_out(trees, refused.scores, result);
    if (!trees.empty()) {
      train_pack(std::move(trees), result);
    }
  }
}

BatchResult BatchRunner::evaluate(std::span<const Tree* const> batch, const PackLimits& limits,
                                  const PackScored& scored) {
  BatchResult result;
  Trees trees(batch.begin(), batch.end());
  Scores scores = score(trees, limits, scored);
  leave_out(trees, scores, result);
  objective_.begin_step(totals_of(batch, objective_.nll_response(), false), scores);
  for (const auto& example : scores) {
    std::vector<double> seeds(example.size());
    result.loss += objective_.evaluate(example, seeds, result.metrics);
  }
  return result;
}

}  // namespace lmpo
