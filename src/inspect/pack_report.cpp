#include "inspect/pack_report.h"

#include <algorithm>

#include "base/error.h"

namespace lmpo {
namespace {

std::int64_t tokens_of(const Trees& pack) {
  std::int64_t tokens = 0;
  for (const Tree* tree : pack) {
    tokens += tree->input_tokens();
  }
  return tokens;
}

// What would be computed if every response had a prompt of its own.
std::int64_t separate_tokens(const Tree& tree) {
  std::int64_t tokens = 0;
  for (const Sequence& sequence : tree.sequences) {
    tokens += std::ssize(sequence.tokens) - 1;
  }
  return tokens;
}

}  // namespace

double PackReport::waste() const {
  const auto room = static_cast<double>(packs * budget);
  return packs == 0 ? 0 : static_cast<double>(unfilled) / room;
}

double PackReport::avoidable() const {
  return packs == 0 ? 0 : static_cast<double>(packs - fewest) / static_cast<double>(packs);
}

PackReport pack_report(const std::vector<Tree>& trees, const SamplerOptions& sampling,
                       const PackLimits& limits) {
  LMPO_CHECK(!trees.empty() && limits.max_tokens > 0);
  PackReport report;
  report.budget = limits.max_tokens;
  report.micro_batch = limits.micro_batch;
  report.batch = sampling.global_batch;
  Sampler sampler(std::ssize(trees), sampling);
  std::vector<std::int64_t> fill;
  for (report.batches = 0; report.batches < sampler.batches_per_epoch(); ++report.batches) {
    Trees batch;
    for (const std::int64_t index : sampler.next()) {
      batch.push_back(&trees[static_cast<std::size_t>(index)]);
      report.separate_tokens += separate_tokens(*batch.back());
    }
    std::int64_t filled = 0;  // an oversized tree counts as a full pack
    for (const auto& pack : packs_of(batch, limits)) {
      fill.push_back(tokens_of(pack));
      report.tokens += fill.back();
      report.oversized += fill.back() > limits.max_tokens;
      const std::int64_t within = std::min(fill.back(), limits.max_tokens);
      filled += within;
      report.unfilled += limits.max_tokens - within;
    }
    report.fewest += (filled + limits.max_tokens - 1) / limits.max_tokens;
  }
  report.packs = std::ssize(fill);
  auto edges = histogram_edges(fill, false);
  report.fill = summarize("tokens of a pack", std::move(fill), std::move(edges));
  return report;
}

ordered_json to_json(const PackReport& report) {
  return {{"max_pack_tokens", report.budget},
          {"per_device_train_batch_size", report.micro_batch},
          {"global_batch", report.batch},
          {"batches", report.batches},
          {"packs", report.packs},
          {"fewest_packs", report.fewest},
          {"oversized", report.oversized},
          {"tokens", report.tokens},
          {"tokens_without_sharing", report.separate_tokens},
          {"waste", report.waste()},
          {"avoidable_waste", report.avoidable()},
          {"fill", to_json(report.fill)}};
}

}  // namespace lmpo
