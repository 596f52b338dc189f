// Rewards against transformers (testdata/, made by tools/oracle/reward_golden.py) and themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "base/testing/test_paths.h"
#include "model/language_model.h"
#include "ops/testing/device.h"

namespace lmpo::reward_test {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

fs::path folder_of(const std::string& name) {
  return source_folder() / "src/model/testdata" / name;
}

ModelConfig reward_config(const std::string& name) {
  ModelConfig config = read_model_config(folder_of(name));
  config.head = Head::reward;
  return config;
}

using TokenList = std::vector<std::int32_t>;

TokenList joined(const json& prompt, const json& response) {
  auto tokens = prompt.get<TokenList>();
  const auto answer = response.get<TokenList>();
  tokens.insert(tokens.end(), answer.begin(), answer.end());
  return tokens;
}

class Reward : public ::testing::TestWithParam<const char*> {
 protected:
  Reward() {
    const json golden = read_json(folder_of(GetParam()) / "golden.json");
    for (const json& row : golden.at("rows")) {
      Tree& tree = trees_.emplace_back();
      prompt_lengths_.push_back(std::ssize(row.at("prompt")));
      for (std::size_t i = 0; i < row.at("responses").size(); ++i) {
        tree.sequences.push_back(
            reward_sequence(joined(row.at("prompt"), row.at("responses")[i]), config_));
        expected_.push_back(row.at("rewards")[i].get<double>());
      }
    }
  }

  // Of all trees, `per_pack` at a time.
  std::vector<double> rewards(Dtype storage, std::size_t per_pack) {
    return rewards(*make_cpu_device(), Dtype::f32, storage, per_pack);
  }

  std::vector<double> rewards(Device& device, Dtype compute, Dtype storage, std::size_t per_pack) {
    const auto ops = device.make_ops(compute);
    Arena arena = device.make_arena(std::size_t{16} << 20);
    Weights weights(config_, storage, WeightUse::inference, arena);
    weights.load(Checkpoint::open(folder_of(GetParam())), *ops);
    LanguageModel model(weights, *ops, arena, {.max_positions = 64});
    std::vector<double> all;
    for (std::size_t first = 0; first < trees_.size(); first += per_pack) {
      std::vector<const Tree*> some;
      for (std::size_t i = first; i < std::min(first + per_pack, trees_.size()); ++i) {
        some.push_back(&trees_[i]);
      }
      const Pack pack = make_pack(some);
      std::vector<double> part(static_cast<std::size_t>(pack.response_count()));
      model.reward(pack, part);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }

  ModelConfig config_ = reward_config(GetParam());
  std::vector<Tree> trees_;
  std::vector<std::int64_t> prompt_lengths_;
  std::vector<double> expected_;
};

TEST_P(Reward, EqualsTransformers) {
  for (const std::size_t per_pack : {1U, 2U, 5U}) {
    const std::vector<double> found = rewards(Dtype::f32, per_pack);
    ASSERT_EQ(found.size(), expected_.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected_[i], 2e-5) << i;
    }
  }
}

TEST_P(Reward, EveryDeviceComputesTheSame) {
  for (const lmpo::testing::TestDevice& given : lmpo::testing::test_devices()) {
    SCOPED_TRACE(given.name);
    if (const std::unique_ptr<Device> device = given.open()) {
      const std::vector<double> found = rewards(*device, given.compute, given.compute, 2);
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_NEAR(found[i], expected_[i], given.compute == Dtype::f32 ? 1e-4 : 0.5) << i;
      }
    }
  }
}

// Weights as large as these lose as much.
TEST_P(Reward, SixteenBitStorageIsNear) {
  for (const auto& [storage, allowed] :
       {std::pair(Dtype::bf16, 0.4), std::pair(Dtype::f16, 0.05)}) {
    const std::vector<double> found = rewards(storage, 5);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected_[i], allowed) << i;
    }
  }
}

TEST_P(Reward, APromptIsComputedOnceForItsResponses) {
  for (std::size_t i = 0; i < trees_.size(); ++i) {
    std::int64_t inputs = prompt_lengths_[i];
    for (const Sequence& sequence : trees_[i].sequences) {
      inputs += sequence.scored_begin - prompt_lengths_[i];
    }
    EXPECT_EQ(make_pack({&trees_[i]}).input_count(), inputs);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Reward,
                         ::testing::Values("reward_llama", "reward_mistral", "reward_gemma2",
                                           "reward_qwen3"),
                         [](const auto& given) { return std::string(given.param); });

TEST(RewardSequence, IsReadAtTheLastTokenThatIsNotPadding) {
  ModelConfig config = reward_config("reward_llama");
  ASSERT_EQ(config.pad_id, 2);
  EXPECT_EQ(reward_sequence({1, 5, 2, 7, 2, 2}, config).scored_begin, 4);
  EXPECT_EQ(reward_sequence({2, 2}, config).scored_begin, 1);
  config.pad_id.reset();
  const Sequence whole = reward_sequence({1, 5, 2}, config);
  EXPECT_EQ(whole.scored_begin, 3);
  EXPECT_EQ(whole.scored_tokens(), 1);
}

TEST(RewardTensors, WhatIsNoRewardModelIsNamed) {
  const auto check = [](const std::string& name) {
    check_tensors(reward_config(name), Checkpoint::open(folder_of(name)));
  };
  check("reward_llama");
  check("reward_mistral");
  EXPECT_THAT([&] { check("llama"); }, ThrowsMessage<UserError>(HasSubstr(
                                           "llama: there is no score.weight; a reward model was "
                                           "expected: transformers' LlamaForSequence")));
  EXPECT_THAT(
      [] {
        check_tensors(read_model_config(folder_of("reward_llama")),
                      Checkpoint::open(folder_of("reward_llama")));
      },
      ThrowsMessage<UserError>(::testing::AllOf(HasSubstr("1 missing: lm_head.weight"),
                                                HasSubstr("1 unexpected: score.weight"))));
}

}  // namespace
}  // namespace lmpo::reward_test
