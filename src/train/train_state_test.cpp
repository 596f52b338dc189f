// What a run leaves on disk to go on from.
#include "train/train_state.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>

#include "base/random.h"
#include "tensor/arena.h"
#include "train/checkpoints.h"
#include "train/testing/small_run.h"
#include "tree/testing.h"

namespace lmpo::train_state_test {
namespace {

using ::testing::HasSubstr;

using TrainStateTest = FolderTest;

TEST_F(TrainStateTest, NumbersSurviveBitForBit) {
  TrainState state;
  state.step = 123;
  state.tokens = (std::int64_t{1} << 53) + 1;
  state.sampler = {.epoch = 2, .position = 7};
  state.objective = {{"mean", 0.1 + 0.2}};
  state.loss_total = std::numeric_limits<double>::denorm_min();
  state.loss_sum = 1.0 / 3;
  state.loss_steps = 4;
  state.grad_norm = 1e308;
  state.learning_rate = 6e-7;
  state.metrics.add("rewards/chosen", 0.7, 3);
  state.log_history.push_back({{"step", 1}, {"loss", 0.6931471805599453}});
  state.data_fingerprint = "abc";
  const fs::path file = folder_ / "lmpo_state.json";
  write_file_atomically(file, state.to_json().dump(2));
  const TrainState read = read_train_state(folder_);
  EXPECT_EQ(read.to_json(), state.to_json());
  EXPECT_EQ(read.loss_total, state.loss_total);
  EXPECT_EQ(read.tokens, state.tokens);
  EXPECT_EQ(read.metrics.means(), state.metrics.means());
}

TEST_F(TrainStateTest, BrokenFilesAreNamed) {
  EXPECT_THAT(user_error_of([&] { read_train_state(folder_); }), HasSubstr("lmpo_state.json"));
  for (const char* content : {"", "[]", "{}", "{\"step\": \"x\"}", "{\"step\": 1"}) {
    write_file_atomically(folder_ / "lmpo_state.json", content);
    EXPECT_THAT(user_error_of([&] { read_train_state(folder_); }), HasSubstr("lmpo_state.json"))
        << content;
  }
}

// A file of the right form in which one value is not: a UserError that names the file, or a state.
TEST_F(TrainStateTest, AnyValueOfAnotherTypeIsSurvived) {
  TrainState state;
  state.metrics.add("loss", 1);
  const json whole = state.to_json();
  const fs::path file = folder_ / "lmpo_state.json";
  const std::vector<json> strange = {
      nullptr, true, -1, 1.5, 1e300, "x", json::array({1}), json::object({{"a", "b"}})};
  std::int64_t refused = 0;
  const auto read_with = [&](const json::json_pointer& where, const json& value) {
    json broken = whole;
    broken[where] = value;
    write_file_atomically(file, broken.dump());
    try {
      const TrainState read = read_train_state(folder_);
      EXPECT_EQ(read.to_json().size(), whole.size());
    } catch (const UserError& error) {
      EXPECT_THAT(error.what(), HasSubstr("lmpo_state.json")) << where << " " << value;
      ++refused;
    }
  };
  const json leaves = whole.flatten();
  for (const auto& [pointer, value] : leaves.items()) {
    for (const json& other : strange) {
      read_with(json::json_pointer(pointer), other);
    }
  }
  for (const char* key : {"/sampler", "/metrics", "/metrics/loss", "/objective", "/options",
                          "/log_history", "/version"}) {
    const std::int64_t before = refused;
    read_with(json::json_pointer(key), "x");
    read_with(json::json_pointer(key), nullptr);
    EXPECT_EQ(refused, before + 2) << key;
  }
}

TEST(DataFingerprint, ChangesWithTheData) {
  const std::vector<Tree> trees = lmpo::testing::random_trees(5);
  const std::string original = data_fingerprint(trees);
  EXPECT_EQ(original, data_fingerprint(lmpo::testing::random_trees(5)));
  auto changed = trees;
  testing::edit(changed[2].sequences[1].tokens, [](auto& ids) { ids[0] ^= 1; });
  EXPECT_NE(original, data_fingerprint(changed));
  changed = trees;
  changed[4].sequences[0].scored_begin += 1;
  EXPECT_NE(original, data_fingerprint(changed));
  changed = trees;
  std::swap(changed[0], changed[1]);
  EXPECT_NE(original, data_fingerprint(changed));
  changed = trees;
  changed[3].desirable = false;
  EXPECT_NE(original, data_fingerprint(changed));
  changed = trees;
  std::swap(changed[2].sequences[0], changed[2].sequences[1]);
  EXPECT_NE(original, data_fingerprint(changed));
  changed = trees;  // the same tokens, one of them in another sequence
  std::vector<Sequence>& pair = changed[1].sequences;
  testing::edit(pair[0].tokens, [&](auto& ids) { ids.push_back(pair[1].tokens.front()); });
  testing::edit(pair[1].tokens, [](auto& ids) { ids.erase(ids.begin()); });
  EXPECT_NE(original, data_fingerprint(changed));
  changed = trees;
  changed.pop_back();
  EXPECT_NE(original, data_fingerprint(changed));
}

class OptimizerState : public FolderTest, public ::testing::WithParamInterface<Dtype> {
 protected:
  // Weights of a model of the given storage, whose optimizer state is of random bits.
  struct Run {
    Arena arena = Arena::host(std::size_t{16} << 20);
    std::unique_ptr<Ops> ops = make_cpu_ops();
    Weights weights;

    Run(Dtype storage, std::uint64_t seed, const std::string& model = "llama_tied")
        : weights(read_model_config(lmpo::testing::small_model(model)), storage,
                  WeightUse::training, arena) {
      Random random(seed, 0);
      for (const Parameter& parameter : weights.parameters()) {
        for (const Tensor& part : parts(parameter)) {
          auto* bytes = static_cast<unsigned char*>(part.data());
          std::generate_n(bytes, part.bytes(),
                          [&] { return static_cast<unsigned char>(random.next()); });
        }
      }
    }
    static std::vector<Tensor> parts(const Parameter& parameter) {
      return {parameter.moment1.values, parameter.moment1.scales, parameter.moment2.values,
              parameter.moment2.scales, parameter.low};
    }
    std::string bytes() const {
      std::string all;
      for (const Parameter& parameter : weights.parameters()) {
        for (const Tensor& part : parts(parameter)) {
          all.append(static_cast<const char*>(part.data()), part.empty() ? 0 : part.bytes());
        }
      }
      return all;
    }
  };
};

INSTANTIATE_TEST_SUITE_P(Types, OptimizerState,
                         ::testing::Values(Dtype::f32, Dtype::bf16, Dtype::f16));

TEST_P(OptimizerState, SurvivesBitForBit) {
  const Run written(GetParam(), 1);
  const Run read(GetParam(), 2);
  ASSERT_NE(written.bytes(), read.bytes());
  write_optimizer(folder_, written.weights, *written.ops);
  read_optimizer(folder_, read.weights, *read.ops);
  EXPECT_EQ(written.bytes(), read.bytes());
}

TEST_P(OptimizerState, OfAnotherRunIsRefused) {
  const Run run(GetParam(), 1);
  EXPECT_THAT(user_error_of([&] { read_optimizer(folder_, run.weights, *run.ops); }),
              HasSubstr("optimizer.safetensors"));
  const Run untied(GetParam(), 1, "llama");
  write_optimizer(folder_, run.weights, *run.ops);
  EXPECT_THAT(user_error_of([&] { read_optimizer(folder_, untied.weights, *run.ops); }),
              HasSubstr("lm_head.weight was frozen when the checkpoint was written"));
  const Run other(GetParam() == Dtype::bf16 ? Dtype::f16 : Dtype::bf16, 1);
  EXPECT_THAT(user_error_of([&] { read_optimizer(folder_, other.weights, *run.ops); }),
              HasSubstr("--dtype"));
}

}  // namespace
}  // namespace lmpo::train_state_test
