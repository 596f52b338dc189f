// An objective turns the scores of a tree's responses into a loss and its derivatives.
//
// Everything is double precision on the host, a scalar function of a few numbers (docs/method.md).
// The model's backward pass needs nothing but dL/d(logp) of each response. The batch loss is the
// mean over the examples of the global batch.
//
// One optimizer step:
//
//   batch = begin_step(totals, scores)         what the whole global batch knows
//   results[i] = evaluate(batch, i, example)   for each example, in any order
//   end_step(batch, observations)              running statistics take in what was observed
//
// `scores` are those of all examples, in the order of the batch, computed without gradients. A
// training step may omit them unless needs_batch_scores(). An evaluation (totals.training false)
// always gives them and has no end_step: it is normalised by itself, so its loss moves only with
// the model.
//
// begin_step and evaluate are const: equal arguments give equal bits, whatever was evaluated before,
// on whichever thread or process. An example that is skipped is simply not evaluated. Whoever sums
// results does so in the order of the batch, so micro-batches, packs and processes change no bit.
//
// Thread safety: const calls may run at the same time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace lmpo {

// One response as the objective sees it.
struct ResponseScore {
  double logp = 0;            // summed log-probability of the scored tokens, in nats
  double reference_logp = 0;  // the same under the frozen reference; 0 where there is none
  std::int64_t tokens = 1;    // scored tokens, at least 1
  bool desirable = true;      // kto: the response's label
};

// One tree. Pairs: [0] chosen, [1] rejected. The response that extra() asks for comes last.
using ExampleScores = std::span<const ResponseScore>;
// All examples of a batch, in its order.
using BatchScores = std::span<const std::vector<ResponseScore>>;

enum class ExampleForm {
  single,    // one response: SFT
  pair,      // chosen and rejected
  labelled,  // one response, desirable or undesirable: KTO
  ranked     // two or more, the best first
};
enum class ExtraResponse {
  none,
  conversation,  // the whole chosen conversation, prompt included
  mismatched     // a response to another prompt after this one
};

// What is known of the global batch from the data alone.
struct BatchTotals {
  std::int64_t examples = 0;
  std::int64_t nll_tokens = 0;  // scored tokens of the responses that nll_response() names
  bool training = true;         // false: an evaluation
};

// What every evaluate of one step may look at. A value: processes may send it to one another.
struct BatchContext {
  BatchTotals totals;
  std::vector<double> shared;  // what the objective derives from the whole batch's scores
};

// One number of one example, under a name of docs/method.md section 4. Batches report means: over
// examples (weight 1), or over tokens (weight = tokens, value already their mean).
struct Metric {
  std::string_view name;  // a literal
  double value = 0;
  double weight = 1;
};
using Metrics = std::vector<Metric>;

// What running statistics take in of one example; empty: nothing. The objective knows the meaning.
using Observation = std::vector<double>;

// What one example gives to its batch. Where the loss is not finite, because a score was not,
// metrics and observation are empty, and the example may be skipped.
struct ExampleResult {
  double loss = 0;  // its share of the batch loss: already divided by the batch's size
  std::vector<double> seeds = {};  // d(batch loss)/d(logp) of each response
  Metrics metrics = {};
  Observation observation = {};
};

// Metrics of many examples.
class MetricSums {
 public:
  void add(std::string_view name, double value, double weight = 1.0);
  void add(const Metrics& metrics);
  void merge(const MetricSums& other);
  std::map<std::string, double> means() const;
  // For checkpoints; numbers survive bit for bit. from_json throws UserError for anything else.
  json to_json() const;
  static MetricSums from_json(const json& content);
  void clear() { sums_.clear(); }

 private:
  struct Sum {
    double total = 0;
    double weight = 0;
  };
  std::map<std::string, Sum, std::less<>> sums_;
};

class Objective {
 public:
  virtual ~Objective() = default;

  // The rows it needs,
  virtual ExampleForm form() const { return ExampleForm::pair; }
  // and one more response that is scored in every tree, after the row's own.
  virtual ExtraResponse extra() const { return ExtraResponse::none; }
  // Index of the response whose likelihood is part of the loss.
  virtual std::size_t nll_response() const { return 0; }
  virtual bool needs_reference() const { return false; }
  // The loss of a batch in which every score equals its reference, where that is one number: the
  // first step must show it when the reference is the policy itself.
  virtual std::optional<double> loss_at_reference() const { return std::nullopt; }
  // Whether the next training step's begin_step needs the scores. May change with end_step:
  // statistics may need one scoring pass before the first step only.
  virtual bool needs_batch_scores() const { return false; }

  BatchContext begin_step(const BatchTotals& totals, BatchScores scores) const {
    return {totals, shared(totals, scores)};
  }
  // `place` counts the examples that begin_step was given scores of (without scores: those of the
  // batch) from 0.
  virtual ExampleResult evaluate(const BatchContext& batch, std::int64_t place,
                                 ExampleScores example) const = 0;
  // Once a training step: the observations of its examples in the order of the batch. Those of
  // skipped examples are left out or empty.
  virtual void end_step(const BatchContext& batch, std::span<const Observation> observations) {
    static_cast<void>(batch);
    static_cast<void>(observations);
  }

  // Running statistics for checkpoints. Numbers survive bit for bit; restore throws UserError for
  // anything else.
  virtual json state() const { return json::object(); }
  virtual void restore(const json& state) { static_cast<void>(state); }

 private:
  virtual std::vector<double> shared(const BatchTotals& totals, BatchScores scores) const {
    static_cast<void>(totals);
    static_cast<void>(scores);
    return {};
  }
};

// Numbers shared by the objectives, finite for every finite argument.
double softplus(double z);  // log(1 + e^z)
double sigmoid(double z);   // 1 / (1 + e^-z)

}  // namespace lmpo
