// Likelihoods that share what they begin with, against each sequence scored alone by the forward that
// training uses.
#include "evaluate/likelihood.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "generate/testing/scored_truth.h"

namespace lmpo::likelihood_test {
namespace {

using Ids = std::vector<std::int32_t>;

// A tree of sequences: a beginning that all share, questions, choices of one and more tokens.
std::vector<Sequence> tree_of_sequences(std::int64_t vocabulary) {
  Random random(3, 0);
  const auto some = [&](std::size_t count) {
    Ids ids(count);
    for (std::int32_t& id : ids) {
      id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocabulary)));
    }
    return ids;
  };
  const auto joined = [](Ids a, const Ids& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  std::vector<Sequence> all;
  const Ids beginning = some(17);
  for (int question = 0; question < 5; ++question) {
    const Ids prompt = joined(beginning, some(random.below(9)));
    for (int choice = 0; choice < 4; ++choice) {
      all.push_back({.tokens = joined(prompt, some(1 + (question % 2) * random.below(4))),
                     .scored_begin = static_cast<std::int32_t>(prompt.size())});
    }
  }
  all.push_back(all.front());                             // the same again
  all.push_back({.tokens = some(2), .scored_begin = 1});  // alone
  all.push_back({.tokens = all[3].tokens, .scored_begin = 5});
  return all;
}

TEST(Likelihoods, AreThoseOfEachSequenceAlone) {
  for (const char* name : {"llama", "gemma3_text"}) {
    SCOPED_TRACE(name);
    testing::ScoredTruth truth(name);
    LoadedModel model(testing::model_folder(name), make_cpu_device());
    const std::vector<Sequence> sequences = tree_of_sequences(model.config.vocab_size);
    std::vector<const Sequence*> wanted;
    for (const Sequence& sequence : sequences) {
      wanted.push_back(&sequence);
    }
    for (const std::int64_t at_once : {1, 3, 64}) {
      std::vector<int> told(sequences.size(), 0);
      const LikelihoodStatistics statistics = score_likelihoods(
          model, wanted, at_once, [&](std::size_t index, const Likelihood& likelihood) {
            const Sequence& sequence = sequences[index];
            Ids prefix(sequence.tokens.begin(), sequence.tokens.begin() + sequence.scored_begin);
            Likelihood expected;
            for (auto at = static_cast<std::size_t>(sequence.scored_begin);
                 at < sequence.tokens.size(); ++at) {
              const std::vector<float> logps = truth.next_logp(prefix);
              const std::int32_t token = sequence.tokens[at];
              expected.logp += logps[static_cast<std::size_t>(token)];
              expected.greedy =
                  expected.greedy && std::ranges::max_element(logps) == logps.begin() + token;
              prefix.push_back(token);
            }
            EXPECT_NEAR(likelihood.logp, expected.logp, 1e-4) << index;
            EXPECT_EQ(likelihood.greedy, expected.greedy) << index;
            ++told[index];
          });
      EXPECT_TRUE(std::ranges::all_of(told, [](int times) { return times == 1; }));
      // The beginning is read once, or a few times where two of its followers start together.
      EXPECT_LT(statistics.computed, statistics.tokens / 3);
    }
  }
}

TEST(Likelihoods, NoneOfNothing) {
  LoadedModel model(testing::model_folder("llama"), make_cpu_device());
  score_likelihoods(model, {}, 4, [](std::size_t, const Likelihood&) { FAIL(); });
}

}  // namespace
}  // namespace lmpo::likelihood_test
