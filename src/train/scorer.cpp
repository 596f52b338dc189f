#include "train/scorer.h"

#include <algorithm>

#include "model/rope_config.h"
#include "train/memory_plan.h"

namespace lmpo {

Scorer::Scorer(const fs::path& model_folder, Dtype storage, std::shared_ptr<Device> device,
               Dtype compute, Head head)
    : model_(model_folder, std::move(device),
             {.storage = storage, .compute = compute, .head = head}) {}

void Scorer::score(std::span<const Tree> trees, const PackLimits& limits, const Done& done) {
  score(packs_of(pointers(trees), limits), [&](const Trees& pack, std::span<const double> sums) {
    for (const Tree* tree : pack) {
      done(static_cast<std::size_t>(tree - trees.data()), sums.first(tree->sequences.size()));
      sums = sums.subspan(tree->sequences.size());
    }
  });
}

void Scorer::score(std::span<const Trees> packs, const PackDone& done) {
  LanguageModelOptions options = {.max_positions = 1, .recompute = Recompute::none};
  for (const Trees& pack : packs) {
    options.max_positions = std::max(options.max_positions, longest_sequence(pack));
  }
  check_longest_sequence(model_.config, options.max_positions);
  const auto run = [&](Arena& arena, Ops& ops, std::span<const Trees> some, const PackDone& each) {
    LanguageModel model(*model_.weights, ops, arena, options);
    for (const Trees& trees : some) {
      const Pack pack = make_pack(trees);
      std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
      if (model_.config.head == Head::reward) {
        model.reward(pack, sums);
      } else {
        model.score(pack, sums);
      }
      each(trees, sums);
    }
  };
  // The plan: those packs that may be the largest against an arena that counts.
  LargestPacks largest;
  for (const Trees& trees : packs) {
    largest.add_pack(trees);
  }
  Arena counting = Arena::counting();
  run(counting, *make_plan_ops(*model_.ops), largest.packs(),
      [](const Trees&, std::span<const double>) {});
  Arena arena = model_.device->make_arena(counting.peak());
  run(arena, *model_.ops, packs, done);
}

}  // namespace lmpo
