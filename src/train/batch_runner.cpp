#include "train/batch_runner.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

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
  return std::ranges::all_of(scores,
                             [](const ResponseScore& score) { return std::isfinite(score.logp); });
}

// The scores of each of the pack's trees, from those of all its responses.
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

PackIndices all_indices(std::span<const Tree* const> batch) {
  PackIndices indices(batch.size());
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

// Ends a forward pass whose scores cannot be used, before its backward pass spoils the gradients.
struct NotFinite {
  std::vector<std::vector<ResponseScore>> scores;
};

}  // namespace

BatchRunner::Scores BatchRunner::score(std::span<const Tree* const> trees, const PackLimits& limits,
                                       const PackScored& scored) {
  Scores scores(trees.size());
  for (const PackIndices& indices : cut_batch(trees, limits)) {
    const Trees members = at_indices(trees, indices);
    const Pack pack = make_pack(members);
    std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
    model_.score(pack, sums);
    if (scored) {
      scored(std::ssize(members), pack.input_count());
    }
    Scores found = split_by_tree(members, pack, sums);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      scores[indices[i]] = std::move(found[i]);
    }
  }
  return scores;
}

PackIndices BatchRunner::finite(Batch& batch, const PackIndices& indices,
                                const Scores& scores) const {
  PackIndices kept;
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (all_finite(scores[i])) {
      kept.push_back(indices[i]);
    } else {
      rows.push_back(batch.trees[indices[i]]->row);
    }
  }
  if (!rows.empty() && !skip_nonfinite_) {
    user_error(
        "the log-probabilities of the data's rows {} (counted from 0) are not finite: the run has "
        "diverged, or these rows break the model. Lower the learning rate, look at the rows, or "
        "skip such rows with --skip_nonfinite",
        fmt::join(rows, ", "));
  }
  batch.rows_skipped.insert(batch.rows_skipped.end(), rows.begin(), rows.end());
  return kept;
}

void BatchRunner::begin(Batch& batch, const PackIndices& kept, const Scores& scores,
                        bool training) const {
  batch.context =
      objective_.begin_step(totals_of(batch.trees, objective_.nll_response(), training), scores);
  batch.results.resize(batch.trees.size());
  batch.places.assign(batch.trees.size(), -1);
  std::int64_t place = 0;
  for (const std::size_t index : kept) {
    batch.places[index] = place++;
  }
}

BatchResult BatchRunner::join(Batch batch) {
  BatchResult result;
  for (ExampleResult& example : batch.results) {
    result.loss += example.loss;
    result.metrics.add(example.metrics);
    result.observations.push_back(std::move(example.observation));
  }
  result.skipped = std::move(batch.rows_skipped);
  result.context = std::move(batch.context);
  return result;
}

BatchResult BatchRunner::train(std::span<const Tree* const> trees, const PackLimits& limits,
                               const PackDone& done) {
  const std::vector<PackIndices> packs = cut_batch(trees, limits);
  const auto count = std::ssize(packs);
  const auto tell = [&](const char* what, std::int64_t pack) {
    if (done && count > 1) {
      done(what, pack, count);
    }
  };
  Batch batch = {.trees = trees};
  PackIndices kept = all_indices(trees);
  Scores scores;
  if (objective_.needs_batch_scores()) {
    std::int64_t scored = 0;
    scores = score(trees, limits, [&](std::int64_t, std::int64_t) { tell("scoring", ++scored); });
    kept = finite(batch, kept, scores);
    std::erase_if(scores, [](const auto& example) { return !all_finite(example); });
    if (kept.empty()) {
      return join(std::move(batch));
    }
  }
  begin(batch, kept, scores, true);
  // The packs of the whole batch, as planned: a skipped example does not bring others together.
  std::int64_t trained = 0;
  for (PackIndices pack : packs) {
    std::erase_if(pack, [&](std::size_t index) { return batch.places[index] < 0; });
    if (!pack.empty()) {
      train_pack(batch, pack);
    }
    tell("pack", ++trained);
  }
  return join(std::move(batch));
}

void BatchRunner::train_pack(Batch& batch, const PackIndices& indices) {
  const Trees trees = at_indices(batch.trees, indices);
  const Pack pack = make_pack(trees);
  const auto seed = [&](std::span<const double> sums, std::span<double> seeds) {
    Scores scores = split_by_tree(trees, pack, sums);
    if (!std::ranges::all_of(scores, all_finite)) {
      throw NotFinite{std::move(scores)};
    }
    auto next = seeds.begin();
    for (std::size_t i = 0; i < indices.size(); ++i) {
      ExampleResult& result = batch.results[indices[i]];
      result = objective_.evaluate(batch.context, batch.places[indices[i]], scores[i]);
      next = std::ranges::copy(result.seeds, next).out;
    }
  };
  try {
    model_.train(pack, seed);
  } catch (const NotFinite& refused) {
    if (const PackIndices kept = finite(batch, indices, refused.scores); !kept.empty()) {
      train_pack(batch, kept);
    }
  }
}

BatchResult BatchRunner::evaluate(std::span<const Tree* const> trees, const PackLimits& limits,
                                  const PackScored& scored) {
  Batch batch = {.trees = trees};
  Scores scores = score(trees, limits, scored);
  const PackIndices kept = finite(batch, all_indices(trees), scores);
  std::erase_if(scores, [](const auto& example) { return !all_finite(example); });
  begin(batch, kept, scores, false);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    batch.results[kept[i]] =
        objective_.evaluate(batch.context, static_cast<std::int64_t>(i), scores[i]);
  }
  return join(std::move(batch));
}

}  // namespace lmpo
