// Frozen parameters: what trains is not touched by what does not.
#include "model/freeze.h"

#include <gmock/gmock.h>

#include <map>

#include "base/random.h"
#include "base/testing/test_folder.h"
#include "base/testing/test_paths.h"
#include "model/language_model.h"
#include "ops/device.h"
#include "ops/timed_ops.h"

namespace lmpo::freeze_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

fs::path golden(const std::string& name) {
  return source_folder() / "src/model/testdata" / name;
}

std::vector<Tree> some_pairs() {
  Random random(3, 0);
  std::vector<Tree> trees(3);
  for (Tree& tree : trees) {
    const std::vector<std::int32_t> prompt = {1, 7, static_cast<std::int32_t>(random.below(40))};
    for (int side = 0; side < 2; ++side) {
      std::vector<std::int32_t> tokens = prompt;
      for (int i = 0; i < 5; ++i) {
        tokens.push_back(3 + static_cast<std::int32_t>(random.below(40)));
      }
      tree.sequences.push_back({tokens, 3});
    }
  }
  return trees;
}

// The gradients of what trains, by name, after one pack; the arena's peak; and what was computed.
struct Step {
  std::map<std::string, std::vector<float>> gradients;
  std::vector<double> sums;
  std::size_t peak = 0;
  StepTimes times;
};

Step train(const std::string& model, const FreezePatterns& freeze, Recompute recompute,
           Dtype storage = Dtype::f32) {
  const auto device = make_cpu_device();
  Step step;
  const auto inner = device->make_ops(Dtype::f32);
  const auto ops = make_timed_ops(*inner, step.times);
  Arena arena = device->make_arena(std::size_t{32} << 20);
  Weights weights(read_model_config(golden(model)), storage, WeightUse::training, arena,
                  {.freeze = freeze});
  weights.load(Checkpoint::open(golden(model)), *ops);
  weights.zero_gradients(*ops);
  LanguageModel language_model(weights, *ops, arena, {.max_positions = 16, .recompute = recompute});
  const std::vector<Tree> trees = some_pairs();
  language_model.train(make_pack({&trees[0], &trees[1], &trees[2]}),
                       [&](std::span<const double> sums, std::span<double> seeds) {
                         step.sums.assign(sums.begin(), sums.end());
                         for (std::size_t i = 0; i < seeds.size(); ++i) {
                           seeds[i] = i % 2 == 0 ? -0.3 : 0.2;
                         }
                       });
  for (const auto& [name, parameter] : weights.named()) {
    EXPECT_EQ(parameter.trains(), !is_frozen(name, freeze)) << name;
    if (parameter.trains()) {
      std::vector<float>& gradient = step.gradients[name];
      gradient.resize(static_cast<std::size_t>(parameter.gradient.elements()));
      ops->download(gradient.data(), parameter.gradient);
    } else {
      EXPECT_TRUE(parameter.moment1.values.empty() && parameter.moment2.values.empty()) << name;
      EXPECT_TRUE(parameter.low.empty()) << name;
    }
  }
  step.peak = arena.peak();
  return step;
}

struct Frozen {
  const char* name;
  const char* model;
  FreezePatterns patterns;
};

const std::vector<Frozen> cases = {
    {"Embedding", "llama", {"model.embed_tokens.*"}},
    {"TiedEmbedding", "llama_tied", {"model.embed_tokens.*"}},
    {"EmbeddingAndLowestNorm",
     "llama",
     {"model.embed_tokens.*", "model.layers.0.input_layernorm.weight"}},
    {"EmbeddingBelowNoNorm", "olmo2", {"model.embed_tokens.*"}},
    {"Head", "llama", {"lm_head.weight"}},
    {"FirstLayer", "llama", {"model.layers.0.*"}},
    {"LowerHalf", "llama_bias", {"model.embed_tokens.*", "model.layers.0.*"}},
    {"AllLayers", "mistral", {"model.embed_tokens.*", "model.layers.*"}},
    {"Attention", "llama_bias", {"*.self_attn.*"}},
    {"Mlp", "llama_bias_tied", {"*.mlp.*"}},
    {"Norms", "mistral", {"*norm.weight"}},
    {"Biases", "llama_bias", {"*.bias"}},
    {"AllButBiases", "llama_bias", {"*.weight"}},
    {"Fused", "llama", {"*.[qkv]_proj.*"}},
    {"FusedByTheFamily", "phi3_longrope_partial", {"*.qkv_proj.*", "*.gate_up_proj.*"}},
    {"QueryNorms", "qwen3", {"*.q_norm.weight"}},
    {"NormsOnBothSides", "gemma3_text", {"*norm.weight"}},
    {"LayersBelowNormedOutputs", "gemma2", {"model.embed_tokens.*", "model.layers.0.*"}},
    {"ProjectionsWithoutNorms", "olmo2", {"*.self_attn.*_proj.*", "*.up_proj.*", "*.gate_proj.*"}},
    {"ScaledMlp", "granite", {"*.mlp.*"}},
};

class Freezing : public ::testing::TestWithParam<Frozen> {};

INSTANTIATE_TEST_SUITE_P(Freeze, Freezing, ::testing::ValuesIn(cases),
                         [](const auto& made) { return made.param.name; });

TEST_P(Freezing, LeavesTheOtherGradientsBitForBit) {
  const auto& [name, model, patterns] = GetParam();
  EXPECT_NO_THROW(check_freeze(read_model_config(golden(model)), patterns));
  for (const Recompute recompute : {Recompute::none, Recompute::layers}) {
    const Step whole = train(model, {}, recompute);
    const Step frozen = train(model, patterns, recompute);
    EXPECT_EQ(frozen.sums, whole.sums);
    EXPECT_LT(frozen.gradients.size(), whole.gradients.size());
    EXPECT_FALSE(frozen.gradients.empty());
    for (const auto& [tensor, gradient] : frozen.gradients) {
      EXPECT_EQ(gradient, whole.gradients.at(tensor)) << tensor;
    }
    EXPECT_LT(frozen.peak, whole.peak);
  }
}

// Products in the backward of queries, keys and values: two a layer, less those for weights that are
// frozen, and less the gradient of the input of the lowest layer where neither its norm nor anything
// below it trains.
double qkv_products(const std::string& model, const FreezePatterns& freeze) {
  const auto qkv = [&](const FreezePatterns& patterns) {
    return train(model, patterns, Recompute::none)
        .times.at(StepPart::qkv, Direction::backward)
        .operations;
  };
  return 2.0 * static_cast<double>(read_model_config(golden(model)).layers) * qkv(freeze) / qkv({});
}

TEST(Freeze, LeavesOutTheGradientThatNothingBelowNeeds) {
  const std::string embedding = "model.embed_tokens.*";
  ASSERT_EQ(read_model_config(golden("llama")).layers, 2);
  EXPECT_EQ(qkv_products("llama", {embedding}), 4);
  EXPECT_EQ(qkv_products("llama", {"model.layers.0.*"}), 3);
  EXPECT_EQ(qkv_products("llama", {embedding, "model.layers.0.input_layernorm.weight"}), 3);
  EXPECT_EQ(qkv_products("llama", {embedding, "model.layers.0.*"}), 2);
  EXPECT_EQ(
      qkv_products("llama", {embedding, "model.layers.0.*", "model.layers.1.input_layernorm.*"}),
      1);
  ASSERT_EQ(read_model_config(golden("olmo2")).layers, 2);
  EXPECT_EQ(qkv_products("olmo2", {embedding}), 3);
}

// What is frozen takes the bytes of its values and nothing else.
TEST(Freeze, FallsToTheByte) {
  const ModelConfig config = read_model_config(golden("llama_bias"));
  const FreezePatterns patterns = {"*.mlp.*", "model.norm.weight"};
  for (const Dtype storage : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
    Arena all = Arena::counting();
    const Weights whole(config, storage, WeightUse::training, all);
    Arena less = Arena::counting();
    const Weights frozen(config, storage, WeightUse::training, less, {.freeze = patterns});
    const auto padded = [](const Tensor& x) { return (x.bytes() + 63) / 64 * 64; };
    std::size_t saved = 0;
    for (std::size_t i = 0; i < whole.parameters().size(); ++i) {
      const Parameter parameter = whole.parameters()[i];
      if (!frozen.parameters()[i].trains()) {
        saved += padded(parameter.gradient) + padded(parameter.low) +
                 padded(parameter.moment1.values) + padded(parameter.moment2.values);
      }
    }
    EXPECT_GT(saved, 0U);
    EXPECT_EQ(all.peak() - less.peak(), saved);
  }
}

std::string freeze_refusal(const FreezePatterns& patterns, const char* model = "llama") {
  return user_error_of([&] { check_freeze(read_model_config(golden(model)), patterns); });
}

TEST(Freeze, RefusesPatternsThatMatchNothing) {
  EXPECT_EQ(freeze_refusal({}), "");
  EXPECT_THAT(freeze_refusal({"*.mlp.*", "model.embed_token.weight"}),
              AllOf(HasSubstr("freeze: 'model.embed_token.weight' matches no tensor"),
                    HasSubstr("did you mean 'model.embed_tokens.weight'?")));
  EXPECT_THAT(freeze_refusal({"model.layers.1"}), HasSubstr("did you mean 'model.layers.1.*'?"));
  EXPECT_THAT(freeze_refusal({"embed_tokens"}), HasSubstr("did you mean '*embed_tokens*'?"));
  EXPECT_THAT(freeze_refusal({"model.layers.7.*"}), HasSubstr("matches no tensor of the model"));
  EXPECT_THAT(freeze_refusal({"lm_head.*"}, "llama_tied"),
              HasSubstr("tied to the embedding in this model: freeze model.embed_tokens.weight"));
}

TEST(Freeze, RefusesAPartOfOneMatrixAndAll) {
  EXPECT_THAT(freeze_refusal({"model.layers.1.self_attn.q_proj.*"}),
              AllOf(HasSubstr("model.layers.1.self_attn.q_proj.weight, "
                              "model.layers.1.self_attn.k_proj.weight, "
                              "model.layers.1.self_attn.v_proj.weight as one matrix"),
                    HasSubstr("freeze all of them or none")));
  EXPECT_THAT(freeze_refusal({"*.up_proj.*"}), HasSubstr("gate_proj.weight, model"));
  EXPECT_THAT(freeze_refusal({"*"}), HasSubstr("nothing would train"));
}

}  // namespace
}  // namespace lmpo::freeze_test
