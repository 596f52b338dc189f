// What is measured for a run's time. How long things take is not tested: machines differ.
#include "bench/run_speed.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "bench/step_speed.h"

namespace lmpo::run_speed_test {
namespace {

ModelConfig model(std::int64_t layers, std::int64_t hidden, std::int64_t vocabulary) {
  return parse_model_config({{"model_type", "llama"},
                             {"vocab_size", vocabulary},
                             {"hidden_size", hidden},
                             {"intermediate_size", 3 * hidden},
                             {"num_hidden_layers", layers},
                             {"num_attention_heads", hidden / 16},
                             {"max_position_embeddings", 256}},
                            "test");
}

TEST(RunSpeed, OfALargeModelAPartIsMeasured) {
  const ModelConfig small = model(4, 64, 100);
  EXPECT_EQ(measured_part(small).layers, 4);
  EXPECT_EQ(measured_part(small).vocab_size, 100);
  const ModelConfig large = model(32, 4096, 128256);
  const ModelConfig part = measured_part(large);
  EXPECT_EQ(part.layers, 1);
  EXPECT_LT(part.vocab_size, large.vocab_size);
  EXPECT_EQ(part.hidden_size, large.hidden_size);
  EXPECT_EQ(part.intermediate_size, large.intermediate_size);
}

TEST(RunSpeed, MeasuresRowsOfAnyKindInAnyStorage) {
  const auto device = make_cpu_device();
  const auto ops = device->make_ops(Dtype::f32);
  std::vector<Tree> trees = random_pairs(3, 20, 10, 100);
  trees[1].sequences.resize(1);  // of an answer alone
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
    for (const bool eight_bit : {false, true}) {
      const RunSpeed speed = measure_run_speed(
          model(2, 32, 100), *device, *ops, trees,
          {{.weights = dtype, .eight_bit_moments = eight_bit}, Recompute::layers, {2, 0}}, 1);
      EXPECT_GT(speed.train, 0);
      EXPECT_GT(speed.score, 0);
      EXPECT_GT(speed.optimizer, 0);
      EXPECT_EQ(speed.trees, 2);
      EXPECT_EQ(speed.layers, 2);
    }
  }
  // A pack's tokens are limited as in the run, and time is: one row is always measured.
  const ModelConfig config = model(1, 32, 100);
  EXPECT_EQ(
      measure_run_speed(config, *device, *ops, trees, {{}, Recompute::none, {3, 70}}, 1).trees, 2);
  EXPECT_EQ(measure_run_speed(config, *device, *ops, trees, {{}, Recompute::none, {3, 0}}, 0).trees,
            1);
}

}  // namespace
}  // namespace lmpo::run_speed_test
