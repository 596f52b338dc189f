// An objective turns the scores of a tree's responses into a loss and its derivatives.
//
// Everything is double precision on the host, a scalar function of a few numbers (docs/method.md).
// The model's backward pass needs nothing but dL/d(logp) of each response. The batch loss is the
// mean over the examples of the global batch; nothing may depend on how the batch is cut into
// micro-batches, packs or ranks.
//
// The life of one optimizer step:
//   if (needs_batch_scores())              score every example without gradients
//   begin_step(totals, scores)             what the whole global batch knows
//   evaluate(example, seeds, metrics)      for each example, in the order of the batch
//   end_step()                             statistics move on
// Evaluation (totals.training false) scores every example first and has no end_step. What it is
// normalised by is its own, so its loss moves only with the model. Not thread-safe.
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
  double logp = 0;            // summed log-probability of the scored tokens, natural logarithm
  double reference_logp = 0;  // the same under the frozen reference; 0 where there is none
  std::int64_t tokens = 1;    // scored tokens, at least 1
  bool desirable = true;      // kto: whether people approved of it
};

// One tree. Pairs: [0] chosen, [1] rejected. What extra() asks for comes last.
using ExampleScores = std::span<const ResponseScore>;

enum class ExampleForm {
  single,    // one response: SFT
  pair,      // chosen and rejected
  labelled,  // one response that was approved of or not: KTO
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
  bool training = true;         // false: an evaluation, normalised by itself
};

// Sums over the examples of the global batch, by the names of docs/method.md section 4.
class MetricSums {
 public:
  // A mean over examples (weight 1), or over tokens (weight = tokens, value already their mean).
  void add(std::string_view name, double value, double weight = 1.0);
  void merge(const MetricSums& other);
  std::map<std::string, double> means() const;
  // For checkpoints; numbers survive bit for bit. from_json throws UserError for what is none.
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

  // What the data must hold for it: rows of this form,
  virtual ExampleForm form() const { return ExampleForm::pair; }
  // and in every tree, after the row's own responses, one more that is scored.
  virtual ExtraResponse extra() const { return ExtraResponse::none; }
  // The response whose likelihood is part of the loss.
  virtual std::size_t nll_response() const { return 0; }
  virtual bool needs_reference() const { return false; }
  // The loss of a batch in which every score equals its reference, where that is one number: what
  // the first step must show when the reference is the policy itself.
  virtual std::optional<double> loss_at_reference() const { return std::nullopt; }
  // Whether a training step's begin_step must be given the scores of the whole global batch: now,
  // which may change after the first step (statistics that start from one scoring pass).
  virtual bool needs_batch_scores() const { return false; }

  // `scores`: every example of the batch in order; empty in training unless needs_batch_scores().
  virtual void begin_step(const BatchTotals& totals,
                          std::span<const std::vector<ResponseScore>> scores);
  // Returns the example's share of the batch loss (already divided by the batch's size), writes
  // d(batch loss)/d(logp) for each response, and adds the example's metrics. A share that is not
  // finite (scores that were not) leaves metrics and statistics untouched, so it may be skipped.
  virtual double evaluate(ExampleScores example, std::span<double> seeds, MetricSums& metrics) = 0;
  // The next evaluate is of this example of the batch (among those of which begin_step was given
  // the scores). Without a call it is the one after the last.
  virtual void turn_to(std::int64_t place) { static_cast<void>(place); }
  // Called once a training step, after the last evaluate.
  virtual void end_step() {}

  // Running statistics for checkpoints: exact (numbers round-trip bitwise).
  virtual json state() const { return json::object(); }
  virtual void restore(const json& state) { static_cast<void>(state); }

 protected:
  BatchTotals totals_;
};

// Numbers shared by the objectives, finite for every finite argument.
double softplus(double z);  // log(1 + e^z)
double sigmoid(double z);   // 1 / (1 + e^-z)

}  // namespace lmpo
