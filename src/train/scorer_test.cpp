#include "train/scorer.h"

#include <gtest/gtest.h>

#include "model/reference_model.h"
#include "train/testing/small_run.h"

namespace lmpo::scorer_test {
namespace {

std::vector<double> scores_of(const std::vector<Tree>& trees, const PackLimits& limits) {
  Scorer scorer(lmpo::testing::small_model("mistral"), Dtype::f32);
  std::map<std::size_t, std::vector<double>> by_tree;
  scorer.score(trees, limits, [&](std::size_t index, std::span<const double> sums) {
    EXPECT_TRUE(by_tree.try_emplace(index, sums.begin(), sums.end()).second) << index;
  });
  std::vector<double> all;
  for (const auto& [tree, sums] : by_tree) {
    all.insert(all.end(), sums.begin(), sums.end());
  }
  return all;
}

TEST(Scorer, EqualsTheScalarModelWhateverThePacks) {
  const std::vector<Tree> trees = lmpo::testing::random_trees(9);
  const fs::path folder = lmpo::testing::small_model("mistral");
  const Checkpoint checkpoint = Checkpoint::open(folder);
  const ModelConfig config = read_model_config(folder);
  std::map<std::string, std::vector<double>> values;
  Arena arena = Arena::counting();
  for (const NamedParameter& named :
       Weights(config, Dtype::f32, WeightUse::inference, arena).named()) {
    std::vector<float> stored(static_cast<std::size_t>(named.parameter.value.elements()));
    read_as_float(checkpoint.tensor(named.name), 0, stored);
    values[named.name].assign(stored.begin(), stored.end());
  }
  reference::Model<double> truth(config, values);
  for (const PackLimits& limits : {PackLimits{8, 0}, PackLimits{1, 0}, PackLimits{4, 50}}) {
    const std::vector<double> found = scores_of(trees, limits);
    ASSERT_EQ(found.size(), 18u);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], truth.logp(trees[i / 2].sequences[i % 2]), 1e-4) << i;
    }
  }
}

// The scored runs one by one, each after all that stands before it.
TEST(Scorer, GapsAreContext) {
  const std::vector<std::int32_t> tokens = {3, 9, 4, 11, 7, 5, 8, 2};
  const auto upto = [&](std::ptrdiff_t end) {
    return std::vector<std::int32_t>(tokens.begin(), tokens.begin() + end);
  };
  const std::vector<Tree> trees = {{.sequences = {{tokens, 2, {{3, 5}, {6, 7}}}}},
                                   {.sequences = {{upto(3), 2}}},
                                   {.sequences = {{upto(6), 5}}},
                                   {.sequences = {{upto(8), 7}}}};
  const std::vector<double> sums = scores_of(trees, {4, 0});
  EXPECT_NEAR(sums[0], sums[1] + sums[2] + sums[3], 1e-5);
  EXPECT_LT(sums[1], 0);
}

}  // namespace
}  // namespace lmpo::scorer_test
