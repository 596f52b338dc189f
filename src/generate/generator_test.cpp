// Completions against tokens chosen by scoring prefixes with the forward that training uses.
#include "generate/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <limits>
#include <map>

#include "generate/testing/scored_truth.h"
#include "ops/timed_ops.h"

namespace lmpo::generator_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::model_folder;
using testing::random_prompts;
using testing::ScoredTruth;
using Tokens = std::vector<std::int32_t>;

constexpr SamplingOptions greedy = {.temperature = 0};

// Completions by prompt; every prompt must have exactly one.
std::vector<Completion> complete(Generator& generator, const std::vector<Tokens>& prompts,
                                 const GenerationOptions& options) {
  std::map<std::int64_t, Completion> by_prompt;
  generator.generate(prompts, options, [&](const Completion& completion) {
    EXPECT_TRUE(by_prompt.emplace(completion.prompt, completion).second) << completion.prompt;
  });
  EXPECT_EQ(by_prompt.size(), prompts.size());
  std::vector<Completion> result;
  for (const auto& [prompt, completion] : by_prompt) {
    EXPECT_EQ(prompt, static_cast<std::int64_t>(result.size()));
    result.push_back(completion);
  }
  return result;
}

std::vector<Tokens> tokens_of(const std::vector<Completion>& completions) {
  std::vector<Tokens> tokens;
  for (const Completion& completion : completions) {
    tokens.push_back(completion.tokens);
  }
  return tokens;
}

class GeneratorTest : public ::testing::TestWithParam<const char*> {
 protected:
  ScoredTruth truth_{GetParam()};
  Generator generator_{model_folder(GetParam())};
  // Shorter and longer than Mistral's window of 6.
  std::vector<Tokens> prompts_ =
      random_prompts({5, 1, 20, 2, 9, 33, 6, 14, 3, 7, 26}, truth_.config().vocab_size);
};

TEST_P(GeneratorTest, GreedyTokensAreTheLikeliestByScoringPrefixes) {
  constexpr std::int64_t count = 20;
  const auto completions = complete(generator_, prompts_,
                                    {.sampling = greedy, .max_new_tokens = count, .batch_size = 4});
  for (std::size_t i = 0; i < prompts_.size(); ++i) {
    EXPECT_EQ(completions[i].tokens, truth_.greedy(prompts_[i], count)) << "prompt " << i;
    EXPECT_FALSE(completions[i].stopped);
  }
}

// Each draw depends on the seed, the prompt's index and the prefix alone.
TEST_P(GeneratorTest, SampledTokensAreDrawnFromScoredPrefixes) {
  const SamplingOptions sampling = {.temperature = 1.3, .top_k = 20, .top_p = 0.9};
  const auto completions =
      complete(generator_, prompts_,
               {.sampling = sampling, .max_new_tokens = 12, .batch_size = 3, .seed = 77});
  for (std::size_t i = 0; i < prompts_.size(); ++i) {
    Random random(77, i);
    const auto draw = [&](const std::vector<float>& logp) {
      return sample_token(logp, sampling, random);
    };
    EXPECT_EQ(completions[i].tokens, truth_.extend(prompts_[i], 12, draw)) << "prompt " << i;
  }
}

TEST_P(GeneratorTest, NeitherBatchSizeNorCompanyChangesACompletion) {
  for (const double temperature : {0.0, 1.0}) {
    GenerationOptions options = {.sampling = {.temperature = temperature}, .max_new_tokens = 15};
    const auto expected = tokens_of(complete(generator_, prompts_, options));
    for (const std::int64_t batch_size : {1, 2, 5, 11, 4096}) {
      options.batch_size = batch_size;
      EXPECT_EQ(tokens_of(complete(generator_, prompts_, options)), expected) << batch_size;
    }
    // The same first prompt among others.
    std::vector<Tokens> others(prompts_.rbegin(), prompts_.rend());
    others[0] = prompts_[0];
    EXPECT_EQ(complete(generator_, others, options)[0].tokens, expected[0]);
    EXPECT_EQ(complete(generator_, {prompts_[0]}, options)[0].tokens, expected[0]);
  }
}

TEST_P(GeneratorTest, GreedyCompletionsFollowTheirPrompts) {
  const GenerationOptions options = {.sampling = greedy, .max_new_tokens = 10, .batch_size = 3};
  auto expected = tokens_of(complete(generator_, prompts_, options));
  std::reverse(expected.begin(), expected.end());
  const std::vector<Tokens> reversed(prompts_.rbegin(), prompts_.rend());
  EXPECT_EQ(tokens_of(complete(generator_, reversed, options)), expected);
}

TEST_P(GeneratorTest, TheSeedMakesTheCompletions) {
  GenerationOptions options = {.max_new_tokens = 10, .seed = 1};
  const auto first = tokens_of(complete(generator_, prompts_, options));
  EXPECT_EQ(tokens_of(complete(generator_, prompts_, options)), first);
  options.seed = 2;
  EXPECT_NE(tokens_of(complete(generator_, prompts_, options)), first);
  // Two prompts of the same text draw each their own numbers.
  const auto twins = tokens_of(complete(generator_, {prompts_[2], prompts_[2]}, options));
  EXPECT_NE(twins[0], twins[1]);
}

TEST_P(GeneratorTest, TemperaturesAreTakenInTurnAndFirstPromptsAreLeftOut) {
  std::map<std::pair<std::int64_t, std::int64_t>, Tokens> mixed;
  GenerationOptions options = {.temperatures = {0.5, 1.5},
                               .max_new_tokens = 8,
                               .samples = 3,
                               .batch_size = 5,
                               .first_prompt = 4};
  generator_.generate(prompts_, options, [&](const Completion& completion) {
    mixed[{completion.prompt, completion.sample}] = completion.tokens;
  });
  EXPECT_EQ(mixed.size(), (prompts_.size() - 4) * 3);
  options.first_prompt = 0;
  for (const double temperature : {0.5, 1.5}) {
    options.temperatures = {temperature};
    generator_.generate(prompts_, options, [&](const Completion& completion) {
      const bool its_turn = (completion.sample % 2 == 0) == (temperature == 0.5);
      const auto found = mixed.find({completion.prompt, completion.sample});
      EXPECT_EQ(found != mixed.end(), completion.prompt >= 4);
      if (found != mixed.end() && its_turn) {
        EXPECT_EQ(found->second, completion.tokens) << completion.prompt << completion.sample;
      }
    });
  }
}

// A prompt that is computed once answers as if it were computed for each sample.
TEST_P(GeneratorTest, SamplesOfOnePromptAreDrawnFromScoredPrefixes) {
  constexpr std::int64_t kSamples = 5;
  for (const std::int64_t batch_size : {1, 3, 8, 100}) {
    std::map<std::pair<std::int64_t, std::int64_t>, Tokens> answers;
    generator_.generate(
        prompts_, {.max_new_tokens = 6, .samples = kSamples, .batch_size = batch_size, .seed = 5},
        [&](const Completion& completion) {
          answers[{completion.prompt, completion.sample}] = completion.tokens;
        });
    ASSERT_EQ(answers.size(), prompts_.size() * kSamples);
    for (const auto& [key, tokens] : answers) {
      const auto [prompt, sample] = key;
      Random random(5, static_cast<std::uint64_t>(prompt) | static_cast<std::uint64_t>(sample)
                                                                << 40);
      const auto draw = [&](const std::vector<float>& logp) {
        return sample_token(logp, {}, random);
      };
      EXPECT_EQ(tokens, truth_.extend(prompts_[static_cast<std::size_t>(prompt)], 6, draw))
          << "prompt " << prompt << ", sample " << sample << ", batch size " << batch_size;
    }
    EXPECT_NE((answers[{2, 0}]), (answers[{2, 1}]));
  }
}

TEST_P(GeneratorTest, AStopTokenEndsACompletionAndIsPartOfIt) {
  GenerationOptions options = {.sampling = greedy, .max_new_tokens = 20, .batch_size = 3};
  const auto whole = complete(generator_, prompts_, options);
  options.stop_ids = {whole[0].tokens[0], whole[2].tokens[7], whole[5].tokens[19]};
  const auto stopped = complete(generator_, prompts_, options);
  int early = 0;
  for (std::size_t i = 0; i < prompts_.size(); ++i) {
    Tokens expected = whole[i].tokens;
    const auto stop = std::find_first_of(expected.begin(), expected.end(), options.stop_ids.begin(),
                                         options.stop_ids.end());
    const bool found = stop != expected.end();
    expected.erase(found ? stop + 1 : stop, expected.end());
    EXPECT_EQ(stopped[i].tokens, expected) << "prompt " << i;
    EXPECT_EQ(stopped[i].stopped, found) << "prompt " << i;
    early += found && expected.size() < 20 ? 1 : 0;
  }
  EXPECT_GE(early, 2);
  EXPECT_EQ(stopped[0].tokens.size(), 1U);
}

TEST_P(GeneratorTest, MaxNewTokensCutsACompletion) {
  GenerationOptions options = {.sampling = greedy, .max_new_tokens = 12};
  const auto whole = complete(generator_, prompts_, options);
  for (const std::int64_t count : {1, 2, 11}) {
    options.max_new_tokens = count;
    const auto cut = complete(generator_, prompts_, options);
    for (std::size_t i = 0; i < prompts_.size(); ++i) {
      EXPECT_EQ(cut[i].tokens, Tokens(whole[i].tokens.begin(), whole[i].tokens.begin() + count));
      EXPECT_FALSE(cut[i].stopped);
    }
  }
}

TEST_P(GeneratorTest, AnInterruptEndsItBeforeTheNextToken) {
  GenerationOptions options = {.sampling = greedy, .max_new_tokens = 12};
  int asked = 0;
  options.interrupted = [&] { return ++asked > 5; };
  int answers = 0;
  generator_.generate(prompts_, options, [&](const Completion&) { ++answers; });
  EXPECT_EQ(answers, 0) << "five tokens each are no whole answers";
  EXPECT_EQ(asked, 6);
}

// A tokenizer of letters, one a token.
Tokenizer letters_tokenizer() {
  json vocabulary;
  for (int token = 0; token < 48; ++token) {
    vocabulary[std::string(1, static_cast<char>(token < 26 ? 'a' + token : 'A' + token - 26))] =
        token;
  }
  const json content = {
      {"decoder", {{"type", "ByteLevel"}}},
      {"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", json::array()}}}};
  return Tokenizer::from_json(content.dump(), "test");
}

TEST_P(GeneratorTest, AnAnswerEndsBeforeAStopString) {
  const Tokenizer tokenizer = letters_tokenizer();
  GenerationOptions options = {.sampling = greedy, .max_new_tokens = 12, .batch_size = 2};
  const auto whole = complete(generator_, prompts_, options);
  const std::string stop = tokenizer.decode(std::span(whole[2].tokens).subspan(3, 2), true);
  options.stop_strings = {stop};
  options.tokenizer = &tokenizer;
  const auto cut = complete(generator_, prompts_, options);
  for (std::size_t i = 0; i < prompts_.size(); ++i) {
    const std::string text = tokenizer.decode(whole[i].tokens, true);
    const std::size_t end = text.find(stop);
    EXPECT_EQ(cut[i].text, text.substr(0, end));
    EXPECT_EQ(cut[i].stopped, end != std::string::npos);
    EXPECT_EQ(cut[i].tokens.size(), std::min(end, std::size_t{10}) + 2) << "up to the stop string";
  }
  EXPECT_TRUE(cut[2].stopped);
}

TEST_P(GeneratorTest, AnAnswerEndsWithTheContext) {
  const auto prompts = random_prompts({59, 63}, truth_.config().vocab_size);  // of 64
  const auto completions =
      complete(generator_, prompts,
               {.sampling = greedy, .max_new_tokens = std::numeric_limits<std::int64_t>::max()});
  EXPECT_EQ(completions[0].tokens, truth_.greedy(prompts[0], 5));
  EXPECT_EQ(completions[1].tokens, truth_.greedy(prompts[1], 1));
  EXPECT_FALSE(completions[0].stopped);
}

INSTANTIATE_TEST_SUITE_P(All, GeneratorTest, ::testing::Values("llama", "llama_tied", "mistral"),
                         [](const auto& given) { return std::string(given.param); });

// A folder of its own, gone with the test.
// Whichever answers run together and whichever end at once. Of the prompt only the last token is read
// again, since the logits after it are wanted.
TEST(Generation, APromptIsComputedOnceForAllItsSamples) {
  const fs::path folder = model_folder("llama");
  const auto cpu = make_cpu_ops();
  StepTimes times;
  const auto ops = make_timed_ops(*cpu, times);
  Arena arena = Arena::host(std::size_t{64} << 20);
  Weights weights(read_model_config(folder), Dtype::f32, WeightUse::inference, arena);
  weights.load(Checkpoint::open(folder), *ops);
  const PromptTokens prompts = {{3, 1, 4, 1, 5}, {9, 2, 6}};
  const auto operations = [&](std::int64_t samples, std::int64_t new_tokens, std::int64_t batch) {
    times = {};
    std::int64_t answers = 0;
    generate_with(
        weights, *ops, arena, prompts,
        {.sampling = greedy, .max_new_tokens = new_tokens, .samples = samples, .batch_size = batch},
        [&](const Completion&) { ++answers; });
    EXPECT_EQ(answers, 2 * samples);
    return times.at(StepPart::qkv, Direction::forward).operations;
  };
  const double of_a_token = operations(1, 1, 1) / 8;
  EXPECT_GT(of_a_token, 0);
  for (const auto& [samples, new_tokens, batch] :
       {std::array{8, 1, 1}, std::array{8, 1, 3}, std::array{5, 4, 1}, std::array{8, 6, 3},
        std::array{3, 4, 8}}) {
    const int tokens = 8 + 2 * (samples - 1) + 2 * samples * (new_tokens - 1);
    EXPECT_EQ(operations(samples, new_tokens, batch), of_a_token * tokens)
        << samples << " samples of " << new_tokens << " tokens, " << batch << " at once";
  }
}

class GeneratorInput : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::copy(model_folder("llama"), folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // The message of the UserError that generating raises; nothing may have been generated.
  std::string refusal(const std::vector<Tokens>& prompts, const GenerationOptions& options = {}) {
    Generator generator(folder_);
    int completions = 0;
    try {
      generator.generate(prompts, options, [&](const Completion&) { ++completions; });
    } catch (const UserError& error) {
      EXPECT_EQ(completions, 0);
      return error.what();
    }
    return "no error";
  }

  void change_config(const char* key, std::int64_t value) {
    ordered_json config = ordered_json::parse(read_file(folder_ / "config.json"));
    config[key] = value;
    std::ofstream(folder_ / "config.json") << config.dump();
  }

  fs::path folder_;
};

TEST_F(GeneratorInput, PromptsThatCannotBeAnsweredAreNamed) {
  EXPECT_THAT(refusal({{1, 2}, {}}), HasSubstr("prompt 1 (counted from 0) is empty"));
  EXPECT_THAT(refusal({{1, 2}, Tokens(64, 3)}),
              HasSubstr("prompt 1 (counted from 0) has 64 tokens, and at most 63 leave room"));
  EXPECT_THAT(refusal({Tokens(1000, 3)}), HasSubstr("shorten the prompt"));
  EXPECT_THAT(refusal({{1, 48}}), HasSubstr("token 48, and the model's vocabulary ends at 47"));
  EXPECT_THAT(refusal({{-1}}), HasSubstr("token -1"));
  EXPECT_THAT(refusal({{1}}, {.max_new_tokens = 0}), HasSubstr("max_new_tokens is 0"));
}

TEST_F(GeneratorInput, NoPromptsGiveNoCompletions) {
  EXPECT_EQ(refusal({}), "no error");
}

TEST_F(GeneratorInput, WeightsThatAreNotNumbersAreNamedAndThoseThatOverflowReported) {
  // The last number of the file belongs to the last norm.
  const auto write_last = [&](float value) {
    const fs::path file = folder_ / "model.safetensors";
    const auto size = static_cast<std::streamoff>(fs::file_size(file));
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(size - static_cast<std::streamoff>(sizeof value));
    stream.write(reinterpret_cast<const char*>(&value), sizeof value);
  };
  write_last(std::numeric_limits<float>::quiet_NaN());
  try {
    const Generator generator(folder_);
    FAIL() << "nothing was refused";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("model.norm.weight (1 of 24)"));
  }
  write_last(std::numeric_limits<float>::max());
  EXPECT_THAT(refusal({{1, 2}}),
              AllOf(HasSubstr("prompt 0 (counted from 0)"), HasSubstr("not finite")));
}

// Before memory is reserved for what it claims.
TEST_F(GeneratorInput, AConfigurationThatContradictsItsTensorsIsRefused) {
  change_config("vocab_size", 1 << 24);
  change_config("hidden_size", 1 << 20);
  try {
    const Generator generator(folder_);
    FAIL() << "no error";
  } catch (const UserError& error) {
    EXPECT_THAT(error.what(), HasSubstr("model.embed_tokens.weight"));
  }
}

// What is allocated follows the prompts and answers, not the model's context or the asked batch.
TEST_F(GeneratorInput, MemoryIsBoundedByTheRequestedLengths) {
  ScoredTruth truth("llama");
  const auto bytes = [&](std::int64_t sequences, std::int64_t max_length) {
    return Engine::planned_bytes(
        truth.weights(), truth.ops(),
        {.sequences = sequences,
         .max_length = max_length,
         .cache_tokens = sequences * Engine::whole_pages(max_length) + kPageTokens,
         .tokens_a_step = sequences * 30});
  };
  const std::vector<Tokens> prompts = {Tokens(10, 3), Tokens(30, 3)};
  GenerationOptions options = {.max_new_tokens = 8, .batch_size = 2};
  {
    Generator generator(folder_);
    EXPECT_EQ(generator.planned_bytes({}, options), 0U);
    // An answer's last token is never an input.
    EXPECT_EQ(generator.planned_bytes(prompts, options), bytes(2, 30 + 7));
    options.max_new_tokens = 24;
    EXPECT_EQ(generator.planned_bytes(prompts, options), bytes(2, 30 + 23));
    options.batch_size = 4096;
    EXPECT_EQ(generator.planned_bytes(prompts, options), bytes(2, 30 + 23));
    options.batch_size = 1;
    EXPECT_EQ(generator.planned_bytes(prompts, options), bytes(1, 30 + 23));
    options.max_new_tokens = std::int64_t{1} << 40;  // the context ends at 64
    EXPECT_EQ(generator.planned_bytes(prompts, options), bytes(1, 63));
  }
  options.max_new_tokens = 8;
  change_config("max_position_embeddings", 1 << 30);
  EXPECT_EQ(Generator(folder_).planned_bytes(prompts, options), bytes(1, 30 + 7));
}

}  // namespace
}  // namespace lmpo::generator_test
