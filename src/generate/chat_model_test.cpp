// Answers of a model that remembers, against those of one that does not, and against scoring.
#include "generate/chat_model.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "generate/testing/scored_truth.h"

namespace lmpo::chat_model_test {
namespace {

using ::testing::HasSubstr;
using testing::model_folder;
using testing::random_prompts;
using testing::ScoredTruth;

using Tokens32 = std::vector<std::int32_t>;

class ChatModels : public ::testing::TestWithParam<const char*> {
 protected:
  fs::path folder() const { return model_folder(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(All, ChatModels, ::testing::Values("llama", "llama_tied", "mistral"),
                         [](const auto& given) { return std::string(given.param); });

Tokens32 answer(ChatModel& chat, const Tokens32& prompt, const AnswerOptions& options) {
  EXPECT_TRUE(chat.start(prompt, options));
  Tokens32 tokens;
  while (const auto token = chat.next()) {
    tokens.push_back(*token);
  }
  return tokens;
}

AnswerOptions greedy(std::int64_t tokens) {
  return {.sampling = {.temperature = 0}, .max_new_tokens = tokens};
}

TEST_P(ChatModels, SayTheLikeliest) {
  ScoredTruth truth(GetParam());
  ChatModel chat(folder(), make_cpu_device());
  const Tokens32 prompt = random_prompts({9}, truth.config().vocab_size)[0];
  Tokens32 expected = truth.greedy(prompt, 8);
  const auto stops = read_stop_ids(folder(), truth.config());
  const auto stop = std::ranges::find_if(expected, [&](std::int32_t token) {
    return std::ranges::find(stops, std::int64_t{token}) != stops.end();
  });
  const bool stopped = stop != expected.end();
  expected.erase(stop, expected.end());
  EXPECT_EQ(answer(chat, prompt, greedy(8)), expected);
  EXPECT_EQ(chat.end(), stopped ? RequestEnd::stop : RequestEnd::length);
}

TEST_P(ChatModels, EveryDeviceSaysTheLikeliest) {
  ScoredTruth truth(GetParam());
  const Tokens32 text = random_prompts({30}, truth.config().vocab_size)[0];
  for (const char* name : {"cpu", "cuda"}) {
    SCOPED_TRACE(name);
    if (name == std::string("cuda") && cuda_devices().empty()) {
      continue;
    }
    ChatModel chat(folder(), open_device(name));
    for (const std::ptrdiff_t size : {9, 30, 20}) {  // goes on, goes back
      const Tokens32 prompt(text.begin(), text.begin() + size);
      EXPECT_LT(truth.shortfall(prompt, answer(chat, prompt, greedy(8))), 0.1);
    }
  }
}

// Turns that go on, go back, and begin anew: whatever is in the cache, the answer is the same.
TEST_P(ChatModels, RememberingChangesNoAnswer) {
  ChatModel remembering(folder(), make_cpu_device());
  const Tokens32 text = random_prompts({40}, remembering.config().vocab_size)[0];
  const auto first = [&](std::ptrdiff_t size) {
    return Tokens32(text.begin(), text.begin() + size);
  };
  Tokens32 other = first(20);
  other[12] = other[12] == 5 ? 6 : 5;
  std::vector<Tokens32> prompts = {first(10), first(20), first(20), first(3), other, first(30)};
  std::uint64_t turn = 0;
  for (Tokens32& prompt : prompts) {
    ChatModel fresh(folder(), make_cpu_device());
    const AnswerOptions options = {
        .sampling = {.temperature = 1}, .max_new_tokens = 6, .turn = ++turn};
    const Tokens32 said = answer(remembering, prompt, options);
    EXPECT_EQ(said, answer(fresh, prompt, options)) << turn;
    EXPECT_EQ(fresh.statistics().reused_tokens, 0);
  }
  EXPECT_EQ(remembering.statistics().prompt_tokens, 30);
  EXPECT_EQ(remembering.statistics().reused_tokens, 20);  // of the second prompt
  answer(remembering, prompts.back(), greedy(1));
  EXPECT_EQ(remembering.statistics().reused_tokens, 29);  // all but the last
}

TEST_P(ChatModels, WhatWasSaidIsRemembered) {
  ChatModel chat(folder(), make_cpu_device());
  Tokens32 prompt = random_prompts({10}, chat.config().vocab_size)[0];
  const Tokens32 said = answer(chat, prompt, greedy(6));
  prompt.insert(prompt.end(), said.begin(), said.end());
  prompt.push_back(7);
  answer(chat, prompt, greedy(2));
  // Of the answer all but the last token went through the model.
  EXPECT_GE(chat.statistics().reused_tokens, 10 + std::ssize(said) - 1);
}

TEST_P(ChatModels, ContextsEnd) {
  ChatModel chat(folder(), make_cpu_device(), 12);
  EXPECT_EQ(chat.context(), 12);
  const Tokens32 text = random_prompts({12}, chat.config().vocab_size)[0];
  const Tokens32 said = answer(chat, Tokens32(text.begin(), text.begin() + 9), greedy(100));
  if (chat.end() == RequestEnd::context) {
    EXPECT_EQ(said.size(),
              4U);  // three in the room that is left, and one that is not read any more
  }
  for (const Tokens32& bad : {Tokens32(), text, Tokens32{-1}, Tokens32{1'000'000}}) {
    EXPECT_THROW(chat.start(bad, {}), UserError);
  }
  EXPECT_THROW(ChatModel(folder(), make_cpu_device(), 1 << 30), UserError);
}

TEST_P(ChatModels, APromptCanBeBrokenOff) {
  ChatModel chat(folder(), make_cpu_device());
  const Tokens32 prompt = random_prompts({10}, chat.config().vocab_size)[0];
  EXPECT_FALSE(chat.start(prompt, greedy(3), [] { return true; }));
  ChatModel fresh(folder(), make_cpu_device());
  EXPECT_EQ(answer(chat, prompt, greedy(3)), answer(fresh, prompt, greedy(3)));
}

}  // namespace
}  // namespace lmpo::chat_model_test
