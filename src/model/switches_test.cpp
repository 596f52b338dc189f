// What a configuration's switches change: each is shown to matter to the models that have it, and
// sets of them that no family has are computed right, too.
#include <gtest/gtest.h>

#include <cmath>

#include "model/testing/complex_step.h"
#include "model/testing/golden.h"

namespace lmpo::switches_test {
namespace {

using lmpo::testing::expect_gradients_of_reference;
using lmpo::testing::Golden;
using lmpo::testing::read_golden;
using lmpo::testing::simpo_step;
using lmpo::testing::Trained;

struct Change {
  const char* name;
  const char* model;
  void (*change)(ModelConfig& config);
};

std::string name_of(const ::testing::TestParamInfo<Change>& given) {
  return given.param.name;
}

std::vector<double> sums_of(const Golden& golden, Dtype storage = Dtype::f32) {
  Trained trained(golden, storage, Recompute::none);
  std::vector<double> sums;
  simpo_step(trained, golden, golden.trees.size(), &sums);
  return sums;
}

Rope plain_rope(double theta, std::int64_t columns) {
  Rope rope;
  rope.theta = theta;
  rope.columns = columns;
  return rope;
}

void without_windows(ModelConfig& config) {
  for (LayerAttention& layer : config.layer_attention) {
    layer.window = 0;
  }
}

void with_one_table(ModelConfig& config) {
  for (LayerAttention& layer : config.layer_attention) {
    layer.rope = 0;
  }
}

void swap_tables(ModelConfig& config) {
  std::swap(config.ropes.at(0), config.ropes.at(1));
}

void with_plain_tables(ModelConfig& config) {
  for (Rope& rope : config.ropes) {
    rope.kind = Rope::Kind::plain;
  }
}

void with_plain_cosines(ModelConfig& config) {
  for (Rope& rope : config.ropes) {
    rope.table_factor = 1;
  }
}

// Ways to ignore what a family's configuration says. A dynamic table is missing: up to the length
// that it allows, it is a plain one.
const std::vector<Change> ignored = {
    {"Llama3Table", "llama", with_plain_tables},
    {"MistralWindow", "mistral", without_windows},
    {"Qwen2Windows", "qwen2_window", without_windows},
    {"Gemma2Windows", "gemma2", without_windows},
    {"Gemma2ScoreCap", "gemma2", [](ModelConfig& c) { c.attention_softcap = 0; }},
    {"Gemma2LogitCap", "gemma2", [](ModelConfig& c) { c.logit_softcap = 0; }},
    {"Gemma2Scale", "gemma2", [](ModelConfig& c) { c.attention_scale = 0.25F; }},
    {"Gemma2Norms", "gemma2", [](ModelConfig& c) { c.norm_offset = 0; }},
    {"GemmaEmbedding", "gemma", [](ModelConfig& c) { c.embedding_scale = 1; }},
    {"GemmaActivation", "gemma", [](ModelConfig& c) { c.activation = Activation::silu; }},
    {"Gemma3Windows", "gemma3_text", without_windows},
    {"Gemma3OneTable", "gemma3_text", with_one_table},
    {"Gemma3TablesSwapped", "gemma3_text", swap_tables},
    {"Gemma3LinearTable", "gemma3_text", with_plain_tables},
    {"Gemma3Scale", "gemma3_text", [](ModelConfig& c) { c.attention_scale = 0.25F; }},
    {"Olmo3Windows", "olmo3", without_windows},
    {"Olmo3OneTable", "olmo3", with_one_table},
    {"Olmo3TablesSwapped", "olmo3", swap_tables},
    {"Olmo3Yarn", "olmo3", with_plain_tables},
    {"Olmo3YarnCosines", "olmo3", with_plain_cosines},
    {"Phi3LongFactors", "phi3_longrope_partial",
     [](ModelConfig& c) { c.ropes[0].long_factors = c.ropes[0].short_factors; }},
    {"Phi3ShortFactors", "phi3_longrope_partial",
     [](ModelConfig& c) { c.ropes[0].short_factors = c.ropes[0].long_factors; }},
    {"Phi3LongropeCosines", "phi3_longrope_partial", with_plain_cosines},
    {"Phi3WholeHeads", "phi3_longrope_partial",
     [](ModelConfig& c) { c.ropes[0] = plain_rope(c.ropes[0].theta, c.head_size); }},
    {"SmolLm3EveryLayerTurns", "smollm3", with_one_table},
    {"SmolLm3NoLayerTurns", "smollm3",
     [](ModelConfig& c) { c.layer_attention[0].rope = std::nullopt; }},
    {"GraniteResidual", "granite", [](ModelConfig& c) { c.residual_scale = 1; }},
    {"GraniteEmbedding", "granite", [](ModelConfig& c) { c.embedding_scale = 1; }},
    {"GraniteLogits", "granite", [](ModelConfig& c) { c.logit_scale = 1; }},
    {"GraniteScale", "granite", [](ModelConfig& c) { c.attention_scale = 1; }},
    {"Ministral3Queries", "ministral3", [](ModelConfig& c) { c.query_scale_beta = 0; }},
    {"Ministral3Yarn", "ministral3", with_plain_tables},
};

class Ignored : public ::testing::TestWithParam<Change> {};

INSTANTIATE_TEST_SUITE_P(Switches, Ignored, ::testing::ValuesIn(ignored), name_of);

// By far more than Model.LossSumsAndGradientsEqualPyTorch allows.
TEST_P(Ignored, ChangesTheSums) {
  Golden golden = read_golden(GetParam().model);
  const std::vector<double> right = sums_of(golden);
  GetParam().change(golden.config);
  const std::vector<double> wrong = sums_of(golden);
  double largest = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    largest = std::max(largest, std::abs(right[i] - wrong[i]));
  }
  EXPECT_GT(largest, 0.01);
}

const std::vector<Change> combined = {
    {"ScaledResidualOfNormedOutputs", "gemma3_text",
     [](ModelConfig& c) {
       c.residual_scale = 0.6F;
       c.attention_softcap = 2;
       c.logit_scale = 1.7F;
       c.logit_softcap = 3;
       c.query_scale_beta = 0.3;
       c.query_scale_positions = 5;
     }},
    {"NormsAfterAloneWithOffset", "olmo2",
     [](ModelConfig& c) {
       c.residual_scale = 1.3F;
       c.norm_offset = 0.5F;
       c.activation = Activation::gelu_tanh;
       c.layer_attention[1] = {.window = 4, .rope = std::nullopt};
     }},
    {"PartialHeadsWithNorms", "qwen3",
     [](ModelConfig& c) {
       c.ropes[0].columns = 6;
       c.norm_offset = 1;
       c.embedding_scale = 2.5F;
       c.layer_attention[0].window = 3;
     }},
    {"LongTablesBesideOthers", "phi3_longrope_partial",
     [](ModelConfig& c) {
       c.ropes.push_back(plain_rope(100, 4));
       c.layer_attention[1].rope = 1;
       c.query_scale_beta = 0.2;
       c.query_scale_positions = 3;
     }},
    {"CapsOfScaledScores", "granite",
     [](ModelConfig& c) {
       c.attention_softcap = 1.5F;
       c.logit_softcap = 2;
       c.activation = Activation::gelu_tanh;
     }},
};

class Combined : public ::testing::TestWithParam<Change> {
 protected:
  Combined() { GetParam().change(golden_.config); }
  Golden golden_ = read_golden(GetParam().model);
};

INSTANTIATE_TEST_SUITE_P(Switches, Combined, ::testing::ValuesIn(combined), name_of);

TEST_P(Combined, GradientsEqualTheScalarReference) {
  expect_gradients_of_reference(golden_, golden_.trees[4]);
  expect_gradients_of_reference(golden_, golden_.trees[1]);
}

TEST_P(Combined, RecomputationChangesNothing) {
  Trained whole(golden_, Dtype::f32, Recompute::none);
  const double loss = simpo_step(whole, golden_, golden_.trees.size());
  for (const Recompute recompute : {Recompute::mlp, Recompute::layers}) {
    Trained other(golden_, Dtype::f32, recompute);
    EXPECT_EQ(simpo_step(other, golden_, golden_.trees.size()), loss);
    for (std::size_t i = 0; i < whole.weights.parameters().size(); ++i) {
      EXPECT_EQ(lmpo::testing::to_host(*other.ops, other.weights.parameters()[i].gradient),
                lmpo::testing::to_host(*whole.ops, whole.weights.parameters()[i].gradient));
    }
  }
}

// sqrt(24) is 4.89898, and 4.90625 in bfloat16.
TEST(EmbeddingScale, IsRoundedToTheTypeOfTheWeights) {
  Golden golden = read_golden("gemma");
  ASSERT_TRUE(golden.config.rounds_embedding_scale);
  EXPECT_FLOAT_EQ(golden.config.embedding_scale, std::sqrt(24.0F));
  const std::vector<double> in_float = sums_of(golden, Dtype::f32);
  const std::vector<double> in_bfloat16 = sums_of(golden, Dtype::bf16);
  golden.config.rounds_embedding_scale = false;
  EXPECT_EQ(sums_of(golden, Dtype::f32), in_float);
  EXPECT_NE(sums_of(golden, Dtype::bf16), in_bfloat16);
  golden.config.embedding_scale = 4.90625F;
  EXPECT_EQ(sums_of(golden, Dtype::bf16), in_bfloat16);
}

TEST(InitialNorms, MultiplyByOne) {
  for (const char* name : {"gemma2", "olmo2", "qwen3"}) {
    const Golden golden = read_golden(name);
    const auto ops = make_cpu_ops();
    Arena arena = Arena::host(std::size_t{16} << 20);
    Weights weights(golden.config, Dtype::f32, WeightUse::inference, arena);
    weights.initialize(42, *ops);
    int norms = 0;
    for (const Parameter& parameter : weights.parameters()) {
      if (parameter.kind == TensorKind::norm) {
        ++norms;
        for (const float value : lmpo::testing::to_host(*ops, parameter.value)) {
          EXPECT_EQ(golden.config.norm_offset + value, 1.0F);
        }
      }
    }
    EXPECT_GE(norms, 9) << name;
  }
}

// One response of so many tokens.
Tree tree_of(std::size_t tokens) {
  Tree tree;
  tree.sequences.push_back({std::vector<std::int32_t>(tokens, 3), 1});
  return tree;
}

// Bytes of a training step, without weights, of a model with so many layers.
std::size_t step_bytes(ModelConfig config, std::int64_t layers, Recompute recompute) {
  config.layers = layers;
  config.layer_attention.resize(static_cast<std::size_t>(layers));
  const auto cpu_ops = make_cpu_ops();
  const auto plan_ops = make_plan_ops(*cpu_ops);
  Arena weight_arena = Arena::counting();
  Arena arena = Arena::counting();
  Weights weights(config, Dtype::f32, WeightUse::training, weight_arena);
  LanguageModel model(weights, *plan_ops, arena, {.max_positions = 64, .recompute = recompute});
  const Tree tree = tree_of(33);
  model.train(make_pack({&tree}), [](auto, auto) {});
  return arena.peak();
}

// Queries and keys are kept as they were projected, and not again as attention takes them; of a
// sublayer with a norm after it the output is kept, and not the stream that follows from it.
TEST(LayerMemory, IsWhatTheBackwardCannotDoWithout) {
  const ModelConfig config = read_golden("gemma3_text").config;
  const ModelConfig olmo = read_golden("olmo2").config;
  constexpr std::int64_t kTokens = 32;
  const auto kept = [&](const ModelConfig& c, Recompute recompute) {
    std::int64_t columns = c.hidden_size;  // the layer's input
    if (recompute != Recompute::layers) {
      columns += (2 * c.heads + 2 * c.key_heads) * c.head_size;  // q, k, v, attention's output
      columns += 2 * c.hidden_size;                              // both sublayers' outputs
      columns += c.heads + 2 + (c.norms_before ? 1 : 0);         // lse, and what norms found
    }
    if (recompute == Recompute::none) {
      columns += 2 * c.intermediate_size + (c.norms_before ? 1 : 0);
    }
    return static_cast<std::size_t>(kTokens * columns) * sizeof(float);
  };
  for (const ModelConfig& model : {config, olmo}) {
    for (const Recompute recompute : {Recompute::none, Recompute::mlp, Recompute::layers}) {
      EXPECT_EQ(step_bytes(model, 9, recompute) - step_bytes(model, 8, recompute),
                kept(model, recompute))
          << model.family << " " << recompute_name(recompute);
    }
  }
}

// Rows of the rotary table for one pack of trees of these lengths.
std::vector<std::int32_t> rotary_rows(const std::vector<std::vector<std::size_t>>& lengths,
                                      std::int64_t unread) {
  const auto ops = make_cpu_ops();
  Arena arena = Arena::host(std::size_t{1} << 20);
  Rotary rotary(read_golden("phi3_longrope_partial").config, *ops, arena, 20);
  EXPECT_EQ(rotary.longest_short(), 14);
  std::vector<Tree> trees;
  for (const std::vector<std::size_t>& tree : lengths) {
    Tree& added = trees.emplace_back();
    for (const std::size_t length : tree) {
      std::vector<std::int32_t> tokens(length, static_cast<std::int32_t>(added.sequences.size()));
      tokens[0] = 7;
      added.sequences.push_back({tokens, 1});
    }
  }
  std::vector<const Tree*> pointers;
  for (const Tree& tree : trees) {
    pointers.push_back(&tree);
  }
  const Pack pack = make_pack(pointers);
  const DevicePack device = upload_pack(pack, rotary, unread, *ops, arena);
  std::vector<std::int32_t> rows(pack.tokens.size());
  ops->download(rows.data(), device.rotary_rows);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    rows[t] -= pack.positions[t];
  }
  return rows;
}

// A tree is long where its longest sequence is, and other trees of the pack do not matter.
TEST(RotaryRows, FollowTheLongestSequenceOfTheTree) {
  const auto repeated = [](std::initializer_list<std::pair<std::size_t, std::int32_t>> runs) {
    std::vector<std::int32_t> all;
    for (const auto& [count, value] : runs) {
      all.insert(all.end(), count, value);
    }
    return all;
  };
  EXPECT_EQ(rotary_rows({{14}}, 1), repeated({{13, 0}}));
  EXPECT_EQ(rotary_rows({{15}}, 1), repeated({{14, 20}}));
  EXPECT_EQ(rotary_rows({{5, 15}, {14, 3}}, 1), repeated({{1 + 3 + 13, 20}, {1 + 12 + 1, 0}}));
  // Of a reward model the last token is none.
  EXPECT_EQ(rotary_rows({{15}}, 0), repeated({{14, 0}}));
  EXPECT_EQ(rotary_rows({{16}}, 0), repeated({{15, 20}}));
}

}  // namespace
}  // namespace lmpo::switches_test
