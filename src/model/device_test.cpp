// Whole models on every device that this program was built for: every family beside PyTorch, and
// every switch at the head sizes that have kernels of their own on a GPU, beside the CPU.
#include "ops/testing/device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "model/testing/config_texts.h"
#include "model/testing/golden.h"

namespace lmpo::device_test {
namespace {

using lmpo::testing::DeviceTest;
using lmpo::testing::Golden;
using lmpo::testing::read_golden;
using lmpo::testing::relative_difference;
using lmpo::testing::simpo_step;
using lmpo::testing::to_host;
using lmpo::testing::Trained;

class FamilyOnDevice : public DeviceTest<std::string> {
 protected:
  const Golden golden_ = read_golden(given());
};

INSTANTIATE_TEST_SUITE_P(Families, FamilyOnDevice,
                         ::testing::Combine(::testing::ValuesIn(lmpo::testing::golden_models),
                                            ::testing::ValuesIn(lmpo::testing::test_devices())),
                         [](const auto& made) {
                           return std::get<0>(made.param) + "_" + std::get<1>(made.param).name;
                         });

TEST_P(FamilyOnDevice, SumsAndGradientsEqualPyTorch) {
  const Dtype compute = on().compute;
  Trained trained(golden_, compute, Recompute::mlp, std::move(device_), compute);
  std::vector<double> sums;
  const double loss = simpo_step(trained, golden_, 3, &sums);
  EXPECT_NEAR(loss / golden_.facts.at("loss").get<double>(), 1, rounds() ? 0.1 : 1e-6);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double expected = golden_.facts.at("sums")[i / 2][i % 2];
    EXPECT_NEAR(sums[i], expected, rounds() ? 0.03 * std::abs(expected) : 1e-4);
  }
  for (const NamedParameter& named : trained.weights.named()) {
    std::vector<float> expected(static_cast<std::size_t>(named.parameter.value.elements()));
    read_as_float(golden_.gradients.tensor(named.name), 0, expected);
    EXPECT_LT(relative_difference(to_host(*trained.ops, named.parameter.gradient), expected),
              rounds() ? 0.15 : 1e-4)
        << named.name;
  }
}

TEST_P(FamilyOnDevice, RecomputationChangesNoBit) {
  const Dtype compute = on().compute;
  Trained whole(golden_, compute, Recompute::none, std::move(device_), compute);
  Trained again(golden_, compute, Recompute::layers, on().open(), compute);
  std::vector<double> sums;
  std::vector<double> same;
  simpo_step(whole, golden_, golden_.trees.size(), &sums);
  simpo_step(again, golden_, golden_.trees.size(), &same);
  EXPECT_EQ(same, sums);
  const std::vector<NamedParameter> expected = whole.weights.named();
  const std::vector<NamedParameter> found = again.weights.named();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(to_host(*again.ops, found[i].parameter.gradient),
              to_host(*whole.ops, expected[i].parameter.gradient))
        << expected[i].name;
  }
}

// Two layers of wide heads, the first with a window, and what a set of families switches on.
struct WideHeads {
  const char* name;
  std::int64_t head_size;
  void (*change)(ModelConfig& config);
};

void PrintTo(const WideHeads& given, std::ostream* out) {
  *out << given.name;
}

const std::vector<WideHeads> wide_heads = {
    {"Capped64", 64,
     [](ModelConfig& c) {  // as Gemma 2
       c.norms_after = true;
       c.norm_offset = 1;
       c.activation = Activation::gelu_tanh;
       c.attention_softcap = 3;
       c.logit_softcap = 4;
       c.embedding_scale = 5.6F;
       c.tie_word_embeddings = true;
     }},
    {"Biases80", 80,
     [](ModelConfig& c) {  // as Qwen 2 and Llama
       c.qkv_bias = c.output_bias = c.mlp_bias = true;
     }},
    {"Longrope96", 96,
     [](ModelConfig& c) {  // as Phi 3
       Rope& rope = c.ropes[0];
       rope.kind = Rope::Kind::longrope;
       rope.columns = 72;
       rope.original_positions = 20;
       rope.table_factor = 1.2;
       rope.short_factors = std::vector<double>(36, 1.1);
       rope.long_factors = std::vector<double>(36, 3);
     }},
    {"QueryKeyNorms128", 128,
     [](ModelConfig& c) {  // as Gemma 3, Qwen 3 and Ministral 3
       c.query_key_norm = QueryKeyNorm::head;
       c.ropes.push_back({.theta = 100, .columns = 128});
       c.layer_attention[1].rope = 1;
       c.query_scale_beta = 0.3;
       c.query_scale_positions = 5;
     }},
    {"Multipliers256", 256,
     [](ModelConfig& c) {  // as OLMo 2, SmolLM 3 and Granite
       c.layer_attention[1].rope = std::nullopt;
       c.query_key_norm = QueryKeyNorm::whole;
       c.norms_before = false;
       c.norms_after = true;
       c.attention_scale = 0.04F;
       c.residual_scale = 0.6F;
       c.logit_scale = 1.7F;
       c.embedding_scale = 2.5F;
     }},
};

ModelConfig config_of(const WideHeads& given) {
  ModelConfig config = parse_config(small_config({{"hidden_size", 32},
                                                  {"intermediate_size", 40},
                                                  {"vocab_size", 40},
                                                  {"head_dim", given.head_size},
                                                  {"num_attention_heads", 4},
                                                  {"num_key_value_heads", 2},
                                                  {"max_position_embeddings", 128},
                                                  {"initializer_range", 0.2}}));
  config.layer_attention[0].window = 9;
  given.change(config);
  return config;
}

class WideHeadsOnDevice : public DeviceTest<WideHeads> {};

INSTANTIATE_TEST_SUITE_P(Switches, WideHeadsOnDevice,
                         ::testing::Combine(::testing::ValuesIn(wide_heads),
                                            ::testing::ValuesIn(lmpo::testing::test_devices())),
                         [](const auto& made) {
                           return std::string(std::get<0>(made.param).name) + "_" +
                                  std::get<1>(made.param).name;
                         });

// A prompt of so many tokens and its answers.
Tree tree_of(std::uint64_t row, std::size_t prompt, std::initializer_list<std::size_t> answers) {
  Random random(21, row);
  std::vector<std::int32_t> beginning(prompt);
  const auto draw = [&] { return static_cast<std::int32_t>(random.below(40)); };
  std::ranges::generate(beginning, draw);
  Tree tree;
  for (const std::size_t answer : answers) {
    std::vector<std::int32_t> tokens = beginning;
    std::generate_n(std::back_inserter(tokens), answer, draw);
    tree.sequences.push_back({tokens, static_cast<std::int32_t>(prompt)});
  }
  return tree;
}

// Sums of each response, and what training by them leaves as gradients. One tree is longer than
// the original context of longrope, one is not; a window is passed in both.
std::vector<double> step(Trained& trained) {
  const std::vector<Tree> trees = {tree_of(0, 12, {5, 3}), tree_of(1, 40, {20, 1, 7})};
  std::vector<double> all;
  trained.model.train(make_pack({&trees[0], &trees[1]}),
                      [&](std::span<const double> sums, std::span<double> seeds) {
                        all.assign(sums.begin(), sums.end());
                        for (std::size_t i = 0; i < seeds.size(); ++i) {
                          seeds[i] = i % 2 == 0 ? 1 : -0.5;
                        }
                      });
  return all;
}

TEST_P(WideHeadsOnDevice, SumsAndGradientsEqualTheCpus) {
  const ModelConfig config = config_of(given());
  const Dtype compute = on().compute;
  Trained truth(config, compute, Recompute::none, 3, make_cpu_device(), Dtype::f32);
  Trained trained(config, compute, Recompute::mlp, 3, std::move(device_), compute);
  const std::vector<double> expected = step(truth);
  const std::vector<double> sums = step(trained);
  ASSERT_EQ(sums.size(), 5U);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    EXPECT_NEAR(sums[i], expected[i], rounds() ? 0.03 * std::abs(expected[i]) : 1e-4);
  }
  const std::vector<NamedParameter> of_truth = truth.weights.named();
  const std::vector<NamedParameter> found = trained.weights.named();
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_LT(relative_difference(to_host(*trained.ops, found[i].parameter.gradient),
                                  to_host(*truth.ops, of_truth[i].parameter.gradient)),
              rounds() ? 0.15 : 1e-4)
        << found[i].name;
  }
}

}  // namespace
}  // namespace lmpo::device_test
