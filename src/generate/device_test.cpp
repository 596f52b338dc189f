// Answers of every family on every device that this program was built for, beside tokens chosen by
// scoring prefixes on the CPU.
#include "ops/testing/device.h"

#include <gtest/gtest.h>

#include <set>

#include "generate/generator.h"
#include "generate/testing/scored_truth.h"

namespace lmpo::device_test {
namespace {

using testing::model_folder;
using testing::random_prompts;
using testing::ScoredTruth;

class AnswersOnDevice : public testing::DeviceTest<const char*> {};

INSTANTIATE_TEST_SUITE_P(
    Families, AnswersOnDevice,
    ::testing::Combine(::testing::Values("llama", "llama_tied", "llama_bias", "mistral",
                                         "ministral3", "gemma", "gemma2", "gemma3_text", "granite",
                                         "olmo2", "olmo3", "phi3_longrope_partial", "qwen2_window",
                                         "qwen3", "smollm3"),
                       ::testing::ValuesIn(testing::test_devices())),
    [](const auto& made) {
      return std::string(std::get<0>(made.param)) + "_" + std::get<1>(made.param).name;
    });

// Near ties may fall the other way where products round. Prompts are shorter and longer than
// windows (6) and than the original context of longrope (14), which one answer grows beyond; two
// answers to each share what was computed of the prompt.
TEST_P(AnswersOnDevice, AreTheLikeliest) {
  constexpr std::int64_t kTokens = 8;
  ScoredTruth truth(given());
  const auto prompts = random_prompts({1, 9, 27}, truth.config().vocab_size);
  Generator generator(model_folder(given()), std::move(device_), {.compute = on().compute});
  std::set<std::pair<std::int64_t, std::int64_t>> answers;
  generator.generate(
      prompts,
      {.sampling = {.temperature = 0}, .max_new_tokens = kTokens, .samples = 2, .batch_size = 4},
      [&](const Completion& answer) {
        answers.emplace(answer.prompt, answer.sample);
        EXPECT_EQ(std::ssize(answer.tokens), kTokens);
        const auto& prompt = prompts[static_cast<std::size_t>(answer.prompt)];
        EXPECT_LT(truth.shortfall(prompt, answer.tokens), rounds() ? 0.1 : 1e-4)
            << "prompt " << answer.prompt;
      });
  EXPECT_EQ(answers.size(), 2 * prompts.size());
  EXPECT_GT(truth.shortfall(prompts[1], prompts[2]), 0.5) << "any tokens would do";
}

}  // namespace
}  // namespace lmpo::device_test
