// What generation is compared with: next-token probabilities found by scoring, without a cache.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "base/random.h"
#include "base/testing/test_paths.h"
#include "model/language_model.h"

namespace lmpo::testing {

inline fs::path model_folder(const std::string& name) {
  return source_folder() / "src/model/testdata" / name;
}

// A model of src/model/testdata whose responses are scored by the forward that training uses.
class ScoredTruth {
 public:
  explicit ScoredTruth(const std::string& name)
      : config_(read_model_config(model_folder(name))),
        ops_(make_cpu_ops()),
        arena_(Arena::host(std::size_t{64} << 20)),
        weights_(config_, Dtype::f32, WeightUse::inference, arena_),
        model_(weights_, *ops_, arena_, {.max_positions = config_.max_positions}) {
    weights_.load(Checkpoint::open(model_folder(name)), *ops_);
  }

  // Log-probability of every token after the prefix: one tree whose branches are the vocabulary.
  std::vector<float> next_logp(const std::vector<std::int32_t>& prefix) {
    Tree tree;
    for (std::int32_t token = 0; token < config_.vocab_size; ++token) {
      std::vector<std::int32_t> tokens = prefix;
      tokens.push_back(token);
      tree.sequences.push_back({tokens, static_cast<std::int32_t>(prefix.size())});
    }
    std::vector<double> sums(tree.sequences.size());
    model_.score(make_pack({&tree}), sums);
    return {sums.begin(), sums.end()};
  }

  // `count` new tokens, each chosen by choose(log-probabilities of the next token).
  template <typename Choose>
  std::vector<std::int32_t> extend(std::vector<std::int32_t> sequence, std::int64_t count,
                                   const Choose& choose) {
    const auto prompt_length = static_cast<std::ptrdiff_t>(sequence.size());
    for (std::int64_t i = 0; i < count; ++i) {
      sequence.push_back(choose(next_logp(sequence)));
    }
    return {sequence.begin() + prompt_length, sequence.end()};
  }

  std::vector<std::int32_t> greedy(const std::vector<std::int32_t>& prompt, std::int64_t count) {
    return extend(prompt, count, [](const std::vector<float>& logp) {
      return static_cast<std::int32_t>(std::max_element(logp.begin(), logp.end()) - logp.begin());
    });
  }

  // How much less likely than the likeliest at its place, in natural logarithms, a completion's
  // token is at most; 0 for a greedy one. Where the length decides between rotary tables, scoring
  // counts the next token already, and that place is left out.
  double shortfall(std::vector<std::int32_t> prefix, const std::vector<std::int32_t>& completion) {
    double worst = 0;
    const Rope& rope = config_.ropes[0];
    for (const std::int32_t token : completion) {
      if (rope.kind != Rope::Kind::longrope || std::ssize(prefix) != rope.original_positions) {
        const std::vector<float> logp = next_logp(prefix);
        const float best = *std::max_element(logp.begin(), logp.end());
        worst = std::max(worst, double{best - logp[static_cast<std::size_t>(token)]});
      }
      prefix.push_back(token);
    }
    return worst;
  }

  Weights& weights() { return weights_; }
  Ops& ops() { return *ops_; }
  const ModelConfig& config() const { return config_; }

 private:
  ModelConfig config_;
  std::unique_ptr<Ops> ops_;
  Arena arena_;
  Weights weights_;
  LanguageModel model_;
};

// Prompts of the given lengths, with tokens that look nothing like each other.
inline std::vector<std::vector<std::int32_t>> random_prompts(const std::vector<int>& lengths,
                                                             std::int64_t vocabulary) {
  std::vector<std::vector<std::int32_t>> prompts;
  for (const int length : lengths) {
    Random random(11, prompts.size());
    std::vector<std::int32_t>& prompt = prompts.emplace_back();
    for (int i = 0; i < length; ++i) {
      prompt.push_back(
          static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocabulary))));
    }
  }
  return prompts;
}

}  // namespace lmpo::testing
