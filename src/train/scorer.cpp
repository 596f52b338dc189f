#include "train/scorer.h"

#include <algorithm>

#include "data/packer.h"

namespace lmpo {
namespace {

std::int64_t longest_sequence(std::span<const Tree> trees) {
  std::size_t longest = 1;
  for (const Tree& tree : trees) {
    for (const Sequence& sequence : tree.sequences) {
      longest = std::max(longest, sequence.tokens.size());
    }
  }
  return static_cast<std::int64_t>(longest);
}

}  // namespace

Scorer::Scorer(const fs::path& model_folder, Dtype storage)
    : config_(read_model_config(model_folder)), ops_(make_cpu_ops()) {
  const Checkpoint checkpoint = Checkpoint::open(model_folder);
  check_tensors(config_, checkpoint);
  Arena counting = Arena::counting();
  const Weights counted(config_, storage, WeightUse::inference, counting);
  arena_.emplace(Arena::host(counting.peak()));
  weights_.emplace(config_, storage, WeightUse::inference, *arena_);
  weights_->load(checkpoint, *ops_);
}

void Scorer::score(std::span<const Tree> trees, const PackLimits& limits, const Done& done) {
  std::vector<const Tree*> pointers;
  for (const Tree& tree : trees) {
    pointers.push_back(&tree);
  }
  const std::vector<PackRange> ranges =
      cut_into_packs(pointers, limits.max_trees, limits.max_tokens);
  const auto pack_of = [&](const PackRange& range) {
    return make_pack({pointers.begin() + range.begin, pointers.begin() + range.end});
  };
  const LlamaOptions options = {.max_positions = longest_sequence(trees), .recompute = false};

  // The plan: every pack against an arena that counts.
  const std::unique_ptr<Ops> plan_ops = make_plan_ops(*ops_);
  Arena counting = Arena::counting();
  {
    Llama model(*weights_, *plan_ops, counting, options);
    for (const PackRange& range : ranges) {
      const Pack pack = pack_of(range);
      std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
      model.score(pack, sums);
    }
  }
  Arena arena = Arena::host(counting.peak());
  Llama model(*weights_, *ops_, arena, options);
  for (const PackRange& range : ranges) {
    const Pack pack = pack_of(range);
    std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
    model.score(pack, sums);
    for (std::int64_t i = range.begin; i < range.end; ++i) {
      const auto local = static_cast<std::size_t>(i - range.begin);
      const auto first = static_cast<std::size_t>(pack.tree_response[local]);
      const auto last = static_cast<std::size_t>(pack.tree_response[local + 1]);
      done(static_cast<std::size_t>(i), std::span<const double>(sums).subspan(first, last - first));
    }
  }
}

}  // namespace lmpo
