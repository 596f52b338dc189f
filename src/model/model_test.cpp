// The whole model against PyTorch autograd (testdata/, made by tools/oracle/model_golden.py) and
// itself.
#include <gtest/gtest.h>

#include "model/testing/complex_step.h"
#include "model/testing/golden.h"

namespace lmpo::model_test {
namespace {

using lmpo::testing::expect_gradients_of_reference;
using lmpo::testing::Golden;
using lmpo::testing::read_golden;
using lmpo::testing::relative_difference;
using lmpo::testing::simpo_step;
using lmpo::testing::to_host;
using lmpo::testing::Trained;

class Model : public ::testing::TestWithParam<std::string> {};

TEST_P(Model, LossSumsAndGradientsEqualPyTorch) {
  const Golden golden = read_golden(GetParam());
  Trained trained(golden, Dtype::f32, Recompute::none);
  std::vector<double> sums;
  const double loss = simpo_step(trained, golden, 2, &sums);
  const double expected = golden.facts.at("loss");
  EXPECT_NEAR(loss / expected, 1, 1e-6);
  for (std::size_t i = 0; i < golden.trees.size(); ++i) {
    EXPECT_NEAR(sums[2 * i], golden.facts.at("sums")[i][0].get<double>(), 1e-4);
    EXPECT_NEAR(sums[2 * i + 1], golden.facts.at("sums")[i][1].get<double>(), 1e-4);
  }
  for (const NamedParameter& named : trained.weights.named()) {
    const TensorView stored = golden.gradients.tensor(named.name);
    std::vector<float> expected_gradient(
        static_cast<std::size_t>(named.parameter.value.elements()));
    read_as_float(stored, 0, expected_gradient);
    EXPECT_LT(
        relative_difference(to_host(*trained.ops, named.parameter.gradient), expected_gradient),
        1e-4)
        << named.name;
  }
}

// A token that is padding to transformers: nn.Embedding's padding_idx drops what it gets as an input.
TEST_P(Model, ThePadTokensGradientEqualsPyTorchs) {
  const json padding =
      read_json(source_folder() / "src/model/testdata/pad_gradient.json").at(GetParam());
  Golden golden = read_golden(GetParam());
  const auto pad = padding.at("pad_token_id").get<std::int64_t>();
  golden.config.pad_id = pad;
  const auto gradients = [&](bool pad_gradient) {
    Trained trained(golden, Dtype::f32, Recompute::none, make_cpu_device(), Dtype::f32,
                    pad_gradient);
    simpo_step(trained, golden, 2);
    return to_host(*trained.ops, trained.weights.embedding.gradient);
  };
  const std::vector<float> with = gradients(true);
  const std::vector<float> without = gradients(false);
  const auto width = static_cast<std::size_t>(golden.config.hidden_size);
  const std::size_t begin = static_cast<std::size_t>(pad) * width;
  double size = 0;
  for (const float value : with) {
    size = std::max(size, std::abs(static_cast<double>(value)));
  }
  for (std::size_t i = 0; i < with.size(); ++i) {
    if (i >= begin && i < begin + width) {
      EXPECT_NEAR(without[i], padding.at("row")[i - begin].get<double>(), 1e-5 * size) << i;
    } else {
      EXPECT_EQ(without[i], with[i]) << i;
    }
  }
  EXPECT_NE(without, with);
}

TEST_P(Model, GradientsEqualTheScalarReference) {
  const Golden golden = read_golden(GetParam());
  expect_gradients_of_reference(golden, golden.trees[4]);
}

// As where every turn of the assistant is scored: what lies between is context.
TEST_P(Model, ScoredRunsEqualTheScalarReference) {
  const Golden golden = read_golden(GetParam());
  Tree tree;
  tree.sequences = {{{1, 9, 4, 30, 7, 5, 8, 21, 17, 40, 12, 2}, 2, {{3, 5}, {8, 10}}},
                    {{1, 9, 4, 30, 11, 6, 2}, 2, {{4, 5}}}};
  expect_gradients_of_reference(golden, tree);
}

TEST_P(Model, LayoutAndRecomputationChangeNothing) {
  const Golden golden = read_golden(GetParam());
  Trained whole(golden, Dtype::f32, Recompute::none);
  const double loss = simpo_step(whole, golden, 5);
  for (const Recompute recompute : {Recompute::none, Recompute::mlp, Recompute::layers}) {
    for (const std::size_t per_pack : {1U, 3U}) {
      Trained other(golden, Dtype::f32, recompute);
      EXPECT_NEAR(simpo_step(other, golden, per_pack) / loss, 1, 1e-6);
      const auto a = whole.weights.parameters();
      const auto b = other.weights.parameters();
      for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_LT(relative_difference(to_host(*other.ops, b[i].gradient),
                                      to_host(*whole.ops, a[i].gradient)),
                  1e-5);
      }
    }
  }
}

TEST_P(Model, ScoringEqualsTrainingForward) {
  const Golden golden = read_golden(GetParam());
  Trained trained(golden, Dtype::f32, Recompute::none);
  std::vector<double> sums;
  simpo_step(trained, golden, 5, &sums);
  std::vector<const Tree*> trees;
  for (const Tree& tree : golden.trees) {
    trees.push_back(&tree);
  }
  std::vector<double> scored(sums.size());
  trained.model.score(make_pack(trees), scored);
  EXPECT_EQ(scored, sums);
}

TEST_P(Model, SixteenBitStorageKeepsAnExactMaster) {
  const Golden golden = read_golden(GetParam());
  for (const Dtype storage : {Dtype::bf16, Dtype::f16}) {
    Trained trained(golden, storage, Recompute::none);
    const double loss = simpo_step(trained, golden, 2);
    EXPECT_NEAR(loss / golden.facts.at("loss").get<double>(), 1, 0.1);
    for (const NamedParameter& named : trained.weights.named()) {
      std::vector<float> expected(static_cast<std::size_t>(named.parameter.value.elements()));
      read_as_float(golden.weights.tensor(named.name), 0, expected);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (storage == Dtype::f16) {
          ASSERT_EQ(named.parameter.low.f32()[i], expected[i]);
        } else {
          ASSERT_EQ(join_float({named.parameter.value.bf16()[i], named.parameter.low.i16()[i]}),
                    join_float(split_float(expected[i])));
        }
      }
    }
  }
}

TEST_P(Model, PlanEqualsWhatAStepUses) {
  const Golden golden = read_golden(GetParam());
  for (const Dtype storage : {Dtype::f32, Dtype::bf16}) {
    for (const Recompute recompute : {Recompute::none, Recompute::mlp, Recompute::layers}) {
      const auto cpu_ops = make_cpu_ops();
      const auto plan_ops = make_plan_ops(*cpu_ops);
      Arena counting = Arena::counting();
      Weights planned(golden.config, storage, WeightUse::training, counting);
      LanguageModel model(planned, *plan_ops, counting,
                          {.max_positions = 64, .recompute = recompute});
      std::vector<const Tree*> trees;
      for (const Tree& tree : golden.trees) {
        trees.push_back(&tree);
      }
      model.train(make_pack(trees), [](auto, auto) {});
      Trained real(golden, storage, recompute);
      simpo_step(real, golden, trees.size());
      EXPECT_EQ(counting.peak(), real.arena.peak());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Model, ::testing::ValuesIn(lmpo::testing::golden_models),
                         [](const auto& parameter) { return parameter.param; });

TEST(Weights, RandomInitialisationHasTheRightMoments) {
  const Golden golden = read_golden("mistral");
  const auto ops = make_cpu_ops();
  Arena arena = Arena::host(std::size_t{16} << 20);
  Weights weights(golden.config, Dtype::f32, WeightUse::inference, arena);
  weights.initialize(42, *ops);
  const auto gate_up = to_host(*ops, weights.layers[0].gate_up.weight.value);
  double square = 0;
  for (const float value : gate_up) {
    square += static_cast<double>(value) * static_cast<double>(value);
  }
  EXPECT_NEAR(std::sqrt(square / static_cast<double>(gate_up.size())),
              golden.config.initializer_range, 0.02);
  for (const float value : to_host(*ops, weights.final_norm.value)) {
    EXPECT_EQ(value, 1.0F);
  }
}

}  // namespace
}  // namespace lmpo::model_test
