// The plan is what a run really takes from the arena, to the byte.
#include "train/memory_plan.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "tensor/arena.h"
#include "train/testing/small_run.h"

namespace lmpo::memory_plan_test {
namespace {

struct PlanCase {
  std::string model;
  Dtype storage;
  Recompute recompute;
  PackLimits limits;
  bool eight_bit = false;
  bool paged = false;
  std::int64_t new_tokens = 0;  // of answers between the steps
  FreezePatterns freeze = {};
};

// For the name of a test.
void PrintTo(const PlanCase& given, std::ostream* out) {
  *out << given.model << " " << dtype_name(given.storage) << " " << recompute_name(given.recompute);
}

class MemoryPlanned : public ::testing::TestWithParam<PlanCase> {};

INSTANTIATE_TEST_SUITE_P(
    Cases, MemoryPlanned,
    ::testing::Values(
        PlanCase{"llama", Dtype::f32, Recompute::none, {8, 0}},
        PlanCase{"llama", Dtype::bf16, Recompute::layers, {3, 0}},
        PlanCase{"llama_tied", Dtype::f16, Recompute::mlp, {8, 60}},
        PlanCase{"mistral", Dtype::f32, Recompute::layers, {1, 0}},
        PlanCase{"llama", Dtype::f32, Recompute::none, {8, 0}, true},
        PlanCase{"llama", Dtype::bf16, Recompute::mlp, {8, 0}, false, true},
        PlanCase{"mistral", Dtype::f16, Recompute::none, {8, 0}, true, true},
        PlanCase{"llama", Dtype::bf16, Recompute::layers, {1, 0}, false, false, 50},
        PlanCase{"mistral", Dtype::f32, Recompute::layers, {1, 0}, false, true, 60},
        PlanCase{"llama_bias", Dtype::bf16, Recompute::none, {8, 0}},
        PlanCase{"llama_bias_tied", Dtype::f32, Recompute::layers, {3, 0}, true},
        PlanCase{"gemma3_text", Dtype::f32, Recompute::none, {8, 0}},
        PlanCase{"gemma2", Dtype::bf16, Recompute::mlp, {3, 0}},
        PlanCase{"olmo2", Dtype::f32, Recompute::layers, {8, 0}},
        PlanCase{"granite", Dtype::f32, Recompute::mlp, {8, 0}},
        PlanCase{"phi3_longrope_partial", Dtype::f32, Recompute::layers, {1, 0}, false, false, 50},
        PlanCase{"llama_bias",
                 Dtype::f16,
                 Recompute::mlp,
                 {8, 0},
                 false,
                 true,
                 0,
                 {"model.embed_tokens.*", "model.layers.0.*"}},
        PlanCase{"llama_tied",
                 Dtype::bf16,
                 Recompute::none,
                 {8, 0},
                 false,
                 false,
                 0,
                 {"model.embed_tokens.*", "*.mlp.*"}}));

TEST_P(MemoryPlanned, EqualsThePeakOfARun) {
  const PlanCase& given = GetParam();
  const std::vector<Tree> trees = lmpo::testing::random_trees(40);
  const Trees batch = pointers(trees);
  const fs::path folder = lmpo::testing::small_model(given.model);
  const ModelConfig config = read_model_config(folder);
  const LanguageModelOptions options = {.max_positions = 64, .recompute = given.recompute};
  const auto ops = make_cpu_ops();
  LargestPacks training;
  LargestPacks evaluation;
  training.add(batch, given.limits);
  evaluation.add(batch, given.limits);
  PromptTokens prompts;  // all of them fit into one step
  for (std::int32_t i = 0; given.new_tokens > 0 && i < 32; ++i) {
    prompts.push_back({i, 5, 9, 13, 7});
  }
  const GenerationOptions generation = {
      .sampling = {.temperature = 0},
      .max_new_tokens = std::max<std::int64_t>(1, given.new_tokens),
      .batch_size = 32};
  const auto plan_of = [&](const EngineSize& samples) {
    return plan_memory(config,
                       {.weights = given.storage,
                        .eight_bit_moments = given.eight_bit,
                        .moments = given.paged ? Place::file : Place::arena,
                        .freeze = given.freeze},
                       options, training, evaluation, *ops, 0, samples);
  };
  const MemoryPlan plan = plan_of(generation_size(prompts, generation, config));
  // The cases with answers are those that need more for them than for a step.
  EXPECT_EQ(plan.arena > plan_of({}).arena, given.new_tokens > 0);

  Arena arena = Arena::host(std::size_t{64} << 20);
  Arena paged = Arena::file(plan.disk, ::testing::TempDir());
  Weights weights(config, given.storage, WeightUse::training, arena,
                  {.eight_bit_moments = given.eight_bit,
                   .moments = given.paged ? &paged : nullptr,
                   .freeze = given.freeze});
  weights.load(Checkpoint::open(folder), *ops);
  weights.zero_gradients(*ops);
  LanguageModel model(weights, *ops, arena, options);
  // Every pack, not only the largest ones that were planned.
  for (const auto& pack_trees : packs_of(batch, given.limits)) {
    const Pack pack = make_pack(pack_trees);
    model.train(pack, [](std::span<const double>, std::span<double> seeds) {
      std::fill(seeds.begin(), seeds.end(), 0.1);
    });
    std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
    model.score(pack, sums);
  }
  generate_with(weights, *ops, arena, prompts, generation, [](const Completion&) {});
  EXPECT_EQ(plan.arena, arena.peak());
  EXPECT_EQ(plan.disk, paged.peak());
  EXPECT_EQ(plan.disk > 0, given.paged);
  std::size_t groups = 0;
  for (const auto& [group, bytes] : plan.at_peak) {
    groups += bytes;
  }
  EXPECT_EQ(groups, plan.arena);
}

// A few packs stand for all: the plan of them is that of the largest of all packs, planned one by
// one.
TEST(LargestPacks, AreEnoughForThePlan) {
  const ModelConfig config = read_model_config(lmpo::testing::small_model());
  const auto ops = make_cpu_ops();
  for (const PackLimits& limits : {PackLimits{1, 0}, PackLimits{3, 0}, PackLimits{8, 90}}) {
    for (const Recompute recompute : {Recompute::none, Recompute::mlp, Recompute::layers}) {
      const LanguageModelOptions options = {.max_positions = 64, .recompute = recompute};
      const std::vector<Tree> trees = lmpo::testing::random_trees(200);
      LargestPacks all;
      std::size_t largest = 0;
      for (std::size_t begin = 0; begin < trees.size(); begin += 8) {
        Trees batch;
        for (std::size_t i = begin; i < begin + 8; ++i) {
          batch.push_back(&trees[i]);
        }
        all.add(batch, limits);
        for (const auto& pack : packs_of(batch, limits)) {
          LargestPacks one;
          one.add(pack, {8, 0});
          largest = std::max(
              largest, plan_memory(config, {Dtype::f32}, options, one, LargestPacks(), *ops).arena);
        }
      }
      EXPECT_LT(all.packs().size(), 20u);
      EXPECT_EQ(plan_memory(config, {Dtype::f32}, options, all, LargestPacks(), *ops).arena,
                largest);
    }
  }
}

// Objectives that look at the whole batch first score the training packs in the same arena.
TEST(MemoryPlan, ScoringATrainingPackTakesNoMoreThanTraining) {
  const std::vector<Tree> trees = lmpo::testing::random_trees(40);
  const auto ops = make_cpu_ops();
  for (const Recompute recompute : {Recompute::none, Recompute::mlp, Recompute::layers}) {
    for (const Tree& tree : trees) {
      LargestPacks pack;
      pack.add(std::vector{&tree}, {});
      const auto arena_of = [&](const LargestPacks& training, const LargestPacks& evaluation) {
        return plan_memory(read_model_config(lmpo::testing::small_model()), {Dtype::f32},
                           {.max_positions = 64, .recompute = recompute}, training, evaluation,
                           *ops)
            .arena;
      };
      EXPECT_LE(arena_of({}, pack), arena_of(pack, {}));
    }
  }
}

TEST(LargestPacks, KeepsWhatNoOtherCovers) {
  // Lengths of prompt and responses: the second tree exceeds the first in all; the third has more
  // scored tokens but fewer inputs.
  const auto tree_of = [](std::int32_t prompt, std::int32_t response) {
    Tree tree;
    for (std::int32_t side = 0; side < 2; ++side) {
      std::vector<std::int32_t> tokens(static_cast<std::size_t>(prompt), 1);
      tokens.insert(tokens.end(), static_cast<std::size_t>(response), 2 + side);
      tree.sequences.push_back({tokens, prompt});
    }
    return tree;
  };
  const std::vector<Tree> trees = {tree_of(10, 5), tree_of(50, 6), tree_of(3, 12)};
  LargestPacks largest;
  largest.add(Trees{&trees[0], &trees[1], &trees[2]}, {1, 0});
  ASSERT_EQ(largest.packs().size(), 2u);
  EXPECT_EQ(largest.packs()[0][0], &trees[1]);
  EXPECT_EQ(largest.packs()[1][0], &trees[2]);
}

TEST(ReadableBytes, ThreeDigits) {
  EXPECT_EQ(readable_bytes(0), "0 B");
  EXPECT_EQ(readable_bytes(999), "999 B");
  EXPECT_EQ(readable_bytes(1000), "1.00 kB");
  EXPECT_EQ(readable_bytes(999'600), "1.00 MB");
  EXPECT_EQ(readable_bytes(123'456'789), "123 MB");
}

}  // namespace
}  // namespace lmpo::memory_plan_test
