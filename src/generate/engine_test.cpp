// Answers that are computed together against those that are computed alone, and against scoring.
#include "generate/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/error.h"
#include "generate/testing/scored_truth.h"

namespace lmpo::engine_test {
namespace {

using ::testing::HasSubstr;
using testing::random_prompts;
using testing::ScoredTruth;
using TokenList = std::vector<std::int32_t>;

// An answer as its events told it.
struct Told {
  TokenList tokens;
  std::vector<double> logps;
  std::vector<ScoredToken> prompt;
  std::int64_t reused = -1;
  std::optional<RequestEnd> end;
  std::string error;
};

// An engine in exactly the memory that is planned for it.
struct Running {
  Running(ScoredTruth& truth, const EngineSize& size)
      : arena(Arena::host(Engine::planned_bytes(truth.weights(), truth.ops(), size))),
        engine(truth.weights(), truth.ops(), arena, size) {}

  void step() {
    for (EngineEvent& event : engine.step()) {
      Told& one = told[event.request];
      EXPECT_FALSE(one.end.has_value()) << "an event after the end";
      EXPECT_EQ(event.reused_tokens.has_value(), one.reused < 0) << "with the first event";
      one.reused = event.reused_tokens.value_or(one.reused);
      if (event.token) {
        one.tokens.push_back(event.token->token);
        one.logps.push_back(event.token->logp);
      }
      if (!event.prompt.empty()) {
        one.prompt = std::move(event.prompt);
      }
      one.end = event.end;
      one.error = event.error;
    }
  }
  void finish() {
    for (int i = 0; !engine.idle(); ++i) {
      ASSERT_LT(i, 100000);
      step();
    }
  }

  Arena arena;
  Engine engine;
  std::map<RequestId, Told> told;
};

EngineRequest greedy(TokenList prompt, std::int64_t count) {
  return {.prompt = std::move(prompt), .sampling = {.temperature = 0}, .max_new_tokens = count};
}

Told alone(ScoredTruth& truth, EngineRequest request) {
  Running running(truth, {.sequences = 1, .max_length = 63});
  const RequestId id = running.engine.submit(std::move(request));
  running.finish();
  return running.told.at(id);
}

class Engines : public ::testing::TestWithParam<const char*> {
 protected:
  ScoredTruth truth_{GetParam()};
  std::int64_t vocabulary_ = truth_.config().vocab_size;
};

INSTANTIATE_TEST_SUITE_P(All, Engines,
                         ::testing::Values("llama", "mistral", "gemma3_text", "qwen3",
                                           "phi3_longrope_partial"),
                         [](const auto& given) { return std::string(given.param); });

TEST_P(Engines, GreedyAnswersAreTheLikeliestByScoringPrefixes) {
  Running running(truth_, {.sequences = 3, .max_length = 63, .tokens_a_step = 7});
  const auto prompts = random_prompts({5, 1, 20, 33, 40}, vocabulary_);
  std::vector<RequestId> ids;
  for (const TokenList& prompt : prompts) {
    ids.push_back(running.engine.submit(greedy(prompt, 12)));
    running.step();  // they come and go
  }
  running.finish();
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(running.told.at(ids[i]).tokens, truth_.greedy(prompts[i], 12)) << i;
    EXPECT_EQ(running.told.at(ids[i]).end, RequestEnd::length);
  }
}

// Requests of all kinds, some of which begin alike, come at any time and are cancelled at any time,
// with memory for all of them or hardly for two.
TEST_P(Engines, WhatRunsBesideARequestChangesNoBitOfIt) {
  Random random(9, 0);
  const auto texts = random_prompts({30, 30, 30}, vocabulary_);
  std::int64_t interruptions = 0;
  std::int64_t reused = 0;
  for (const EngineSize& size :
       {EngineSize{.sequences = 6, .max_length = 63, .cache_tokens = 6 * 64},
        EngineSize{.sequences = 5,
        .max_length = 63,
        .cache_tokens = 64,
        .tokens_a_step = 9,
        .page_tokens = 8},
        EngineSize{.sequences = 40,
        .max_length = 63,
        .cache_tokens = 130,
        .tokens_a_step = 64,
        .page_tokens = 3}}) {
    Running running(truth_, size);
    std::map<RequestId, EngineRequest> asked;
    for (std::uint64_t i = 0; i < 60; ++i) {
      const TokenList& text = texts[random.below(3)];
      EngineRequest request =
          greedy({text.begin(), text.begin() + 1 + static_cast<std::ptrdiff_t>(random.below(29))},
                 1 + static_cast<std::int64_t>(random.below(14)));
      if (random.below(2) == 0) {
        request.sampling = {.temperature = 1.2, .top_k = 15, .repetition_penalty = 1.3};
        request.stream = i;
        request.top_logps = 2;
      }
      request.prompt_logps = random.below(4) == 0;
      const RequestId id = running.engine.submit(request);
      asked[id] = std::move(request);
      for (std::uint64_t steps = random.below(3); steps > 0; --steps) {
        running.step();
      }
      if (random.below(6) == 0) {
        const RequestId cancelled = 1 + random.below(id);
        running.engine.cancel(cancelled);
        if (!running.told.contains(cancelled) || !running.told.at(cancelled).end) {
          asked.erase(cancelled);
        }
      }
    }
    running.finish();
    for (auto& [id, request] : asked) {
      const Told& together = running.told.at(id);
      const Told single = alone(truth_, request);
      ASSERT_EQ(together.tokens, single.tokens) << id;
      ASSERT_EQ(together.end, single.end);
      for (std::size_t i = 0; request.top_logps >= 0 && i < single.logps.size(); ++i) {
        ASSERT_EQ(together.logps[i], single.logps[i]);
      }
      ASSERT_EQ(together.prompt.size(), request.prompt_logps ? request.prompt.size() - 1 : 0);
      for (std::size_t i = 0; i < single.prompt.size(); ++i) {
        ASSERT_EQ(together.prompt[i].logp, single.prompt[i].logp);
      }
      reused += together.reused;
    }
    const EngineStatistics statistics = running.engine.statistics();
    EXPECT_EQ(statistics.running + statistics.waiting, 0);
    EXPECT_LE(statistics.pages_used, statistics.pages);
    interruptions += statistics.interruptions;
  }
  EXPECT_GT(interruptions, 0);
  EXPECT_GT(reused, 100);
}

TEST_P(Engines, LogProbabilitiesEqualThoseOfScoring) {
  const TokenList prompt = random_prompts({20}, vocabulary_)[0];
  EngineRequest request = greedy(prompt, 4);
  request.prompt_logps = true;
  request.top_logps = 3;
  const Told told = alone(truth_, request);
  ASSERT_EQ(told.prompt.size(), 19U);
  TokenList prefix = {prompt[0]};
  for (std::size_t i = 0; i < told.prompt.size() + told.tokens.size(); ++i) {
    std::vector<float> logps = truth_.next_logp(prefix);
    const bool in_prompt = i < told.prompt.size();
    const std::int32_t token =
        in_prompt ? told.prompt[i].token : told.tokens[i - told.prompt.size()];
    if (in_prompt) {
      EXPECT_EQ(token, prompt[i + 1]);
    }
    // Scoring takes the rotary table of the prefix, reading that of the whole prompt.
    if (truth_.config().ropes[0].original_positions == 0 || !in_prompt) {
      const double logp = in_prompt ? told.prompt[i].logp : told.logps[i - told.prompt.size()];
      EXPECT_NEAR(logp, logps[static_cast<std::size_t>(token)], 2e-5);
      if (in_prompt) {
        ASSERT_EQ(told.prompt[i].top.size(), 3U);
        std::ranges::sort(logps, std::greater());
        for (std::size_t k = 0; k < 3; ++k) {
          EXPECT_NEAR(told.prompt[i].top[k].logp, logps[k], 2e-5);
        }
      }
    }
    prefix.push_back(token);
  }
}

// Another request reads on in the same prompt while one that scores it waits for pages.
TEST_P(Engines, AnInterruptedPromptIsScoredWhole) {
  const TokenList prompt = random_prompts({20}, vocabulary_)[0];
  EngineRequest scored = greedy(prompt, 3);
  scored.prompt_logps = true;
  Running running(
      truth_,
      {.sequences = 2, .max_length = 48, .cache_tokens = 48, .tokens_a_step = 2, .page_tokens = 2});
  running.engine.submit(greedy(prompt, 28));
  for (int step = 0; step < 13; ++step) {
    running.step();
  }
  const RequestId id = running.engine.submit(scored);
  running.finish();
  EXPECT_GT(running.engine.statistics().interruptions, 0);
  const Told together = running.told.at(id);
  const Told single = alone(truth_, scored);
  ASSERT_EQ(together.prompt.size(), single.prompt.size());
  for (std::size_t i = 0; i < single.prompt.size(); ++i) {
    EXPECT_EQ(together.prompt[i].token, single.prompt[i].token);
    EXPECT_EQ(together.prompt[i].logp, single.prompt[i].logp);
  }
  EXPECT_EQ(together.tokens, single.tokens);
}

TEST_P(Engines, ThePromptAloneCanBeScored) {
  const TokenList prompt = random_prompts({9}, vocabulary_)[0];
  EngineRequest request = greedy(prompt, 0);
  request.prompt_logps = true;
  const Told told = alone(truth_, request);
  EXPECT_EQ(told.prompt.size(), 8U);
  EXPECT_TRUE(told.tokens.empty());
  EXPECT_EQ(told.end, RequestEnd::length);
}

TEST_P(Engines, WhatPromptsHaveInCommonIsReadOnce) {
  Running running(truth_, {.sequences = 8, .max_length = 63, .cache_tokens = 1024});
  const auto texts = random_prompts({40, 10, 10, 10}, vocabulary_);
  for (std::size_t i = 1; i < texts.size(); ++i) {
    TokenList prompt = texts[0];
    prompt.insert(prompt.end(), texts[i].begin(), texts[i].end());
    running.engine.submit(greedy(prompt, 3));
  }
  running.finish();
  EXPECT_EQ(running.engine.statistics().reused_tokens, 2 * 40);
  EXPECT_EQ(running.engine.statistics().prompt_tokens, 3 * 50);
}

TEST_P(Engines, ALongPromptDoesNotHoldUpTheOthers) {
  if (std::string(GetParam()) == "phi3_longrope_partial") {
    GTEST_SKIP() << "an answer that becomes long is read again meanwhile";
  }
  Running running(truth_,
                  {.sequences = 2, .max_length = 63, .cache_tokens = 128, .tokens_a_step = 4});
  const auto prompts = random_prompts({2, 40}, vocabulary_);
  const RequestId first = running.engine.submit(greedy(prompts[0], 30));
  running.step();
  const RequestId second = running.engine.submit(greedy(prompts[1], 2));
  for (std::size_t step = 1; !running.told.contains(second); ++step) {
    running.step();
    EXPECT_EQ(running.told.at(first).tokens.size(), step + 1);
  }
  // Three tokens a step beside the answer's.
  EXPECT_EQ(running.told.at(first).tokens.size(), 15U) << "14 steps for 40 tokens";
}

TEST(EngineRequests, EndWithAStopTokenOrTheContext) {
  ScoredTruth truth("llama");
  const TokenList prompt = random_prompts({10}, truth.config().vocab_size)[0];
  const TokenList answer = truth.greedy(prompt, 30);
  EngineRequest request = greedy(prompt, 30);
  request.stop_ids = {answer[4]};
  const Told stopped = alone(truth, request);
  EXPECT_EQ(stopped.end, RequestEnd::stop);
  EXPECT_LE(stopped.tokens.size(), 5U);
  Running running(truth, {.sequences = 1, .max_length = 14});
  const RequestId id = running.engine.submit(greedy(prompt, 30));
  running.finish();
  EXPECT_EQ(running.told.at(id).end, RequestEnd::context);
  EXPECT_EQ(running.told.at(id).tokens, TokenList(answer.begin(), answer.begin() + 5));
}

TEST(EngineRequests, ThatCannotBeAnsweredAreRefused) {
  ScoredTruth truth("llama");
  Running running(truth, {.sequences = 1, .max_length = 14});
  const auto refusal = [&](TokenList prompt) {
    try {
      running.engine.submit(greedy(std::move(prompt), 3));
    } catch (const UserError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_THAT(refusal({}), HasSubstr("the request is empty"));
  EXPECT_THAT(refusal(TokenList(15, 3)), HasSubstr("15 tokens, and at most 14 leave room"));
  EXPECT_THAT(refusal({48}), HasSubstr("vocabulary ends at 47"));
  EXPECT_EQ(refusal(TokenList(14, 3)), "none");
}

// A token whose embedding is not a number. What it leaves in the cache reaches nobody.
TEST(EngineRequests, ThatAreNotFiniteEndAlone) {
  ScoredTruth truth("llama");
  const Tensor row = truth.weights().embedding.value.rows(7, 8);
  const std::vector<float> bad_row(static_cast<std::size_t>(row.elements()), std::nanf(""));
  truth.ops().upload(row, bad_row.data());
  Running running(truth, {.sequences = 3, .max_length = 63, .cache_tokens = 192});
  const RequestId good = running.engine.submit(greedy({1, 2, 3}, 3));
  const RequestId bad = running.engine.submit(greedy({1, 2, 7}, 3));
  const RequestId other = running.engine.submit(greedy({1, 2, 3, 4}, 3));
  running.finish();
  EXPECT_EQ(running.told.at(bad).end, RequestEnd::failed);
  EXPECT_THAT(running.told.at(bad).error, HasSubstr("not finite"));
  EXPECT_EQ(running.told.at(good).end, RequestEnd::length);
  EXPECT_EQ(running.told.at(other).end, RequestEnd::length);
  for (std::int32_t first : {9, 10, 11, 12}) {  // in all pages
    const RequestId later = running.engine.submit(greedy({first, 3, 4}, 3));
    running.finish();
    EXPECT_EQ(running.told.at(later).end, RequestEnd::length);
  }
  EngineRequest scored = greedy({1, 7, 2}, 0);
  scored.prompt_logps = true;
  const RequestId last = running.engine.submit(scored);
  running.finish();
  EXPECT_EQ(running.told.at(last).end, RequestEnd::failed);
}

}  // namespace
}  // namespace lmpo::engine_test
