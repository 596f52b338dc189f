// For the tests of this module: random pairs, whole steps, and derivatives by the complex step.
#pragma once

#include <cmath>
#include <complex>
#include <vector>

#include "base/random.h"
#include "objective/registry.h"

namespace lmpo::testing {

using Pair = std::vector<ResponseScore>;
using Batch = std::vector<Pair>;

// Lengths from 1 to 2000 and average log-probabilities from -150 to -1e-9, evenly in the logarithm;
// one response in eight at an extreme.
inline ResponseScore random_response(Random& random) {
  const auto tokens = static_cast<std::int64_t>(std::exp(random.uniform() * std::log(2000.0)));
  double average = -std::exp(random.uniform() * 25.7 - 20.7);
  switch (random.below(24)) {
    case 0:
      average = 0;
      break;
    case 1:
      average = -1e-16;
      break;
    case 2:
      average = -1e4 / static_cast<double>(tokens);
      break;
    default:
      break;
  }
  return {.logp = average * static_cast<double>(tokens), .reference_logp = 0, .tokens = tokens};
}

inline Batch random_batch(std::size_t size, std::uint64_t seed) {
  Random random(seed, 0);
  Batch batch;
  for (std::size_t i = 0; i < size; ++i) {
    batch.push_back({random_response(random), random_response(random)});
  }
  return batch;
}

// As a model in training gives them: 5 to 60 tokens at -0.1 to -3 a token.
inline Batch typical_batch(std::size_t size, std::uint64_t seed) {
  Random random(seed, 1);
  Batch batch(size, Pair(2));
  for (auto& pair : batch) {
    for (auto& response : pair) {
      response.tokens = 5 + static_cast<std::int64_t>(random.below(56));
      response.logp = -(0.1 + 2.9 * random.uniform()) * static_cast<double>(response.tokens);
    }
  }
  return batch;
}

inline BatchTotals totals_of(const Batch& batch, bool training = true,
                             std::size_t nll_response = 0) {
  BatchTotals totals{static_cast<std::int64_t>(batch.size()), 0, training};
  for (const auto& example : batch) {
    totals.nll_tokens += example[nll_response].tokens;
  }
  return totals;
}

inline BatchContext begin_step(const Objective& objective, const Batch& batch,
                               bool training = true) {
  const bool scored = !training || objective.needs_batch_scores();
  return objective.begin_step(totals_of(batch, training, objective.nll_response()),
                              scored ? BatchScores(batch) : BatchScores());
}

struct StepResult {
  double loss = 0;
  std::vector<double> losses;              // each example's share
  std::vector<std::vector<double>> seeds;  // each example's
  std::vector<Observation> observations;   // each example's
  std::map<std::string, double> metrics;
};

// Sums results in the order of the batch, as the trainer does.
inline StepResult joined(std::span<const ExampleResult> results) {
  StepResult step;
  MetricSums sums;
  for (const ExampleResult& result : results) {
    step.loss += result.loss;
    step.losses.push_back(result.loss);
    step.seeds.push_back(result.seeds);
    step.observations.push_back(result.observation);
    sums.add(result.metrics);
  }
  step.metrics = sums.means();
  return step;
}

// One optimizer step (or one evaluation).
inline StepResult run_step(Objective& objective, const Batch& batch, bool training = true) {
  const BatchContext context = begin_step(objective, batch, training);
  std::vector<ExampleResult> results;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    results.push_back(objective.evaluate(context, static_cast<std::int64_t>(i), batch[i]));
  }
  StepResult step = joined(results);
  if (training) {
    objective.end_step(context, step.observations);
  }
  return step;
}

// Functions below are written for real numbers and evaluated at s + i h: the imaginary part over h
// is the derivative, without subtraction.
using Complex = std::complex<long double>;
inline constexpr long double kComplexStep = 1e-40L;

inline Complex complex_softplus(Complex z) {
  return z.real() > 0 ? z + std::log(1.0L + std::exp(-z)) : std::log(1.0L + std::exp(z));
}

}  // namespace lmpo::testing
