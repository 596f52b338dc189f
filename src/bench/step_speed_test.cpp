#include "bench/step_speed.h"

#include <gtest/gtest.h>

#include "bench/machine_speed.h"
#include "tree/testing.h"

namespace lmpo::step_speed_test {
namespace {

ModelConfig small_config() {
  return parse_model_config({{"model_type", "llama"},
                             {"vocab_size", 50},
                             {"hidden_size", 16},
                             {"intermediate_size", 24},
                             {"num_hidden_layers", 2},
                             {"num_attention_heads", 4},
                             {"num_key_value_heads", 2},
                             {"max_position_embeddings", 64}},
                            "test");
}

class StepSpeedTest : public ::testing::TestWithParam<Recompute> {};

INSTANTIATE_TEST_SUITE_P(Recomputed, StepSpeedTest,
                         ::testing::Values(Recompute::none, Recompute::mlp, Recompute::layers),
                         [](const auto& given) {
                           return std::string(recompute_name(given.param));
                         });

// All that is counted, by hand: T inputs a pair, N rows that predict. Nothing twice.
TEST_P(StepSpeedTest, CountsWhatTheMathematicsAsksFor) {
  constexpr std::int64_t kPrompt = 7;
  constexpr std::int64_t kResponse = 5;
  const ModelConfig config = small_config();
  const auto device = make_cpu_device();
  const auto ops = device->make_ops(Dtype::f32);
  StepSpeedOptions options;
  options.limits = {.micro_batch = 2};
  options.batch = 4;
  options.steps = 2;
  options.recompute = GetParam();
  std::vector<Tree> trees = random_pairs(4, kPrompt, kResponse, config.vocab_size);
  for (Tree& tree : trees) {  // or chance makes the trunk longer
    testing::set_token(tree.sequences[0].tokens, kPrompt, 1);
    testing::set_token(tree.sequences[1].tokens, kPrompt, 2);
  }
  const StepSpeed speed = measure_steps(config, *device, *ops, trees, options);

  constexpr double kPairs = 8;
  constexpr double kOfStep = kPairs / 2;
  constexpr double kInputs = kPrompt + 2 * (kResponse - 1);
  constexpr double kRows = 1 + 2 * (kResponse - 1);  // both first tokens come from one row
  EXPECT_EQ(speed.pairs, kPairs);
  EXPECT_EQ(speed.tokens, kPairs * 2 * (kPrompt + kResponse));
  EXPECT_EQ(speed.shared_tokens, kPairs * kPrompt);
  EXPECT_EQ(speed.largest_pack, 2 * kInputs);
  EXPECT_EQ(speed.head_rows, 2 * kRows);
  const auto operations = [&](StepPart part) {
    return speed.parts.at(part, Direction::forward).operations;
  };
  EXPECT_EQ(operations(StepPart::qkv), kOfStep * 2 * 2 * kInputs * 16 * 32);
  EXPECT_EQ(operations(StepPart::attention_output), kOfStep * 2 * 2 * kInputs * 16 * 16);
  EXPECT_EQ(operations(StepPart::mlp), kOfStep * 2 * 2 * kInputs * 3 * 16 * 24);
  EXPECT_EQ(operations(StepPart::head), kOfStep * 2 * kRows * 16 * 50);
  for (const StepPart part : {StepPart::qkv, StepPart::attention_output, StepPart::mlp,
                              StepPart::attention, StepPart::head}) {
    EXPECT_EQ(speed.parts.at(part, Direction::backward).operations, 2 * operations(part));
  }
  EXPECT_LE(speed.parts.total().seconds, speed.seconds);
  EXPECT_GT(speed.parts.product_rate(), 0);
}

TEST(MachineSpeed, WeighsProductsAsTheModelDoes) {
  const ModelConfig config = small_config();
  // A layer's product comes once a layer; the head's tile stands for 50 of 25 columns.
  const std::vector<ProductSpeed> products = {{"qkv", 10, 16, 32, 1.0}, {"head", 4, 16, 25, 2.0}};
  EXPECT_DOUBLE_EQ(product_rate(config, products),
                   (2 * 6.0 * 10 * 16 * 32 + 2 * 6.0 * 4 * 16 * 25) / (2 * 1.0 + 2 * 2.0));
  const auto device = make_cpu_device();
  const auto ops = device->make_ops(Dtype::f32);
  for (const ProductSpeed& product : measure_products(config, *device, *ops, 20, 8)) {
    EXPECT_GT(product.seconds, 0) << product.name;
  }
}

}  // namespace
}  // namespace lmpo::step_speed_test
