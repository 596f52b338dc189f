#include "demo/win_rate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "data/reader.h"
#include "data/samples.h"

namespace lmpo {
namespace {

constexpr double kRidgeOfLength = 1e-4;
constexpr double kRidgeOfLevel = 1e-6;
constexpr int kNewtonSteps = 100;

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Unbiased; 0 for a single value.
double deviation_of(std::span<const double> values) {
  if (values.size() < 2) {
    return 0;
  }
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) {
    sum += (value - mean) * (value - mean);
  }
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double sigmoid(double z) {
  return z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
}

// Level and slope of the regression. The loss is convex, and each step is halved until it falls.
struct Logistic {
  std::span<const double> chances;
  std::span<const double> lengths;

  double loss(double level, double slope) const {
    double sum = 0;
    for (std::size_t i = 0; i < chances.size(); ++i) {
      const double z = level + slope * lengths[i];
      sum += std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - chances[i] * z;
    }
    return sum / static_cast<double>(chances.size()) + kRidgeOfLevel * level * level / 2 +
           kRidgeOfLength * slope * slope / 2;
  }

  double level() const {
    double level = 0;
    double slope = 0;
    for (int step = 0; step < kNewtonSteps; ++step) {
      const auto count = static_cast<double>(chances.size());
      double g0 = kRidgeOfLevel * level;
      double g1 = kRidgeOfLength * slope;
      double h00 = kRidgeOfLevel;
      double h01 = 0;
      double h11 = kRidgeOfLength;
      for (std::size_t i = 0; i < chances.size(); ++i) {
        const double p = sigmoid(level + slope * lengths[i]);
        const double weight = p * (1 - p) / count;
        g0 += (p - chances[i]) / count;
        g1 += (p - chances[i]) / count * lengths[i];
        h00 += weight;
        h01 += weight * lengths[i];
        h11 += weight * lengths[i] * lengths[i];
      }
      const double determinant = h00 * h11 - h01 * h01;
      const double to_level = (h11 * g0 - h01 * g1) / determinant;
      const double to_slope = (h00 * g1 - h01 * g0) / determinant;
      double size = 1;
      while (size > 1e-12 &&
             loss(level - size * to_level, slope - size * to_slope) > loss(level, slope)) {
        size /= 2;
      }
      level -= size * to_level;
      slope -= size * to_slope;
      if (std::abs(to_level) + std::abs(to_slope) < 1e-12) {
        break;
      }
    }
    return level;
  }
};

}  // namespace

std::vector<JudgedAnswer> read_judged_answers(const fs::path& file) {
  std::vector<JudgedAnswer> answers;
  read_rows(file, {}, [&](const SourceRow& row) {
    const Samples samples = parse_samples(row);
    std::optional<Instruction> instruction =
        samples.prompt.empty() ? std::nullopt : parse_instruction(samples.prompt.back().content);
    const ordered_json tokens = row.value.value("output_tokens", ordered_json());
    if (!instruction || samples.responses.size() != 1 || !tokens.is_array() || tokens.size() != 1 ||
        !tokens[0].is_number()) {
      user_error("{}: one answer to an instruction of the toy language was expected",
                 samples.location);
    }
    answers.push_back({std::move(*instruction), samples.responses[0], tokens[0].get<double>()});
  });
  return answers;
}

Verdict judge(std::span<const JudgedAnswer> answers, std::span<const JudgedAnswer> others) {
  const auto instruction = [](const JudgedAnswer& answer) { return answer.instruction.text(); };
  if (answers.empty() || !std::ranges::equal(answers, others, {}, instruction, instruction)) {
    user_error("both models must have answers to the same prompts in the same order");
  }
  std::vector<double> chances;
  std::vector<double> differences;
  Verdict verdict;
  const auto count = static_cast<double>(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Instruction& asked = answers[i].instruction;
    chances.push_back(preference(asked, answers[i].text, others[i].text, WorldChances{}));
    differences.push_back(answers[i].tokens - others[i].tokens);
    verdict.right += (is_right(asked, answers[i].text) ? 1 : 0) / count;
    verdict.tokens += answers[i].tokens / count;
  }
  verdict.win_rate = mean_of(chances);
  verdict.win_rate_at_equal_length = win_rate_at_equal_length(chances, differences);
  return verdict;
}

double win_rate_at_equal_length(std::span<const double> chances,
                                std::span<const double> differences) {
  LMPO_CHECK(chances.size() == differences.size() && !chances.empty());
  const double deviation = deviation_of(differences);
  if (deviation == 0) {
    return mean_of(chances);
  }
  std::vector<double> lengths;
  for (const double difference : differences) {
    lengths.push_back(std::tanh(difference / deviation));
  }
  return sigmoid(Logistic{chances, lengths}.level());
}

Estimate estimate(std::span<const double> values) {
  if (values.empty()) {
    return {};
  }
  return {mean_of(values), deviation_of(values) / std::sqrt(static_cast<double>(values.size()))};
}

}  // namespace lmpo
