#include "judge/arena_score.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/random.h"

namespace lmpo {
namespace {

constexpr std::size_t kDecisive = 3;  // rows of a ">>"

// A label as A's score and the number of rows.
struct LabelMeaning {
  std::string_view label;
  double score;
  std::size_t rows;
  bool in_v01;
};
constexpr LabelMeaning kMeanings[] = {
    {"A>>B", 1, kDecisive, true},  {"A>B", 1, 1, true},          {"A=B", 0.5, 1, true},
    {"B>A", 0, 1, true},           {"B>>A", 0, kDecisive, true}, {"A<B", 0, 1, false},
    {"A<<B", 0, kDecisive, false}, {"B=A", 0.5, 1, false},       {"B<A", 1, 1, false},
    {"B<<A", 1, kDecisive, false},
};

const LabelMeaning* meaning_of_label(std::string_view label, ArenaRules rules) {
  const auto* found = std::ranges::find(kMeanings, label, &LabelMeaning::label);
  const bool known = found != std::end(kMeanings) && (found->in_v01 || rules == ArenaRules::v2);
  return known ? found : nullptr;
}

// Every text of the letters of labels that stands between `open` and `close`.
std::vector<std::string> bracketed(std::string_view text, std::string_view open,
                                   std::string_view close) {
  std::vector<std::string> found;
  for (std::size_t at = text.find(open); at != std::string_view::npos; at = text.find(open, at)) {
    const std::size_t begin = at + open.size();
    const std::size_t end = std::min(text.find_first_not_of("AB<>=", begin), text.size());
    if (end > begin && text.substr(end).starts_with(close)) {
      found.emplace_back(text.substr(begin, end - begin));
      at = end + close.size();
    } else {
      ++at;
    }
  }
  return found;
}

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    c = 'a' <= c && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return upper;
}

double mean_of_rows(std::span<const double> rows) {
  return std::accumulate(rows.begin(), rows.end(), 0.0) / static_cast<double>(rows.size());
}

// Win rates in rounds of resampling, by model. A model that a round leaves without rows is not in it.
using Resampled = std::vector<std::vector<double>>;

Resampled resample_together(std::span<const ArenaModel> models, std::int64_t rounds,
                            std::uint64_t seed) {
  std::vector<std::pair<std::size_t, double>> pool;
  for (std::size_t i = 0; i < models.size(); ++i) {
    for (const double row : models[i].rows) {
      pool.emplace_back(i, row);
    }
  }
  Resampled rates(models.size());
  for (std::int64_t round = 0; round < rounds; ++round) {
    Random random(seed, static_cast<std::uint64_t>(round));
    std::vector<double> sums(models.size(), 0);
    std::vector<double> counts(models.size(), 0);
    for (std::size_t draw = 0; draw < pool.size(); ++draw) {
      const auto& [model, row] = pool[random.below(pool.size())];
      sums[model] += row;
      counts[model] += 1;
    }
    for (std::size_t i = 0; i < models.size(); ++i) {
      if (counts[i] > 0) {
        rates[i].push_back(sums[i] / counts[i]);
      }
    }
  }
  return rates;
}

Resampled resample_each(std::span<const ArenaModel> models, std::int64_t rounds,
                        std::uint64_t seed) {
  Resampled rates;
  for (const ArenaModel& model : models) {
    rates.push_back(resample_together({&model, 1}, rounds, seed).front());
  }
  return rates;
}

ArenaScore score_v01(const ArenaModel& model, std::span<const double> rates) {
  std::vector<double> ratings;
  std::ranges::transform(rates, std::back_inserter(ratings), rating_of);
  return {.name = model.name,
          .score = 100 * mean_of_rows(model.rows),
          .lower = 100 * win_rate_of(percentile(ratings, 0.025)),
          .upper = 100 * win_rate_of(percentile(ratings, 0.975)),
          .rows = std::ssize(model.rows)};
}

ArenaScore score_v2(const ArenaModel& model, const std::vector<double>& rates) {
  return {.name = model.name,
          .score = 100 * mean_of_rows(rates),
          .lower = 100 * percentile(rates, 0.05),
          .upper = 100 * percentile(rates, 0.95),
          .rows = std::ssize(model.rows)};
}

}  // namespace

std::optional<std::string> verdict_label(std::string_view judgment, ArenaRules rules) {
  if (rules == ArenaRules::v01) {
    const std::vector<std::string> labels = bracketed(judgment, "[[", "]]");
    const bool one = std::set(labels.begin(), labels.end()).size() == 1;
    return one ? std::optional(labels.front()) : std::nullopt;
  }
  const std::string upper = upper_case(judgment);
  std::vector<std::string> labels = bracketed(upper, "[[", "]]");
  if (labels.empty()) {
    labels = bracketed(upper, "[", "]");
  }
  return labels.empty() ? std::nullopt : std::optional(labels.back());
}

bool lacks_label(std::string_view judgment, ArenaRules rules) {
  return rules == ArenaRules::v01 && bracketed(judgment, "[[", "]]").empty();
}

bool counts_as_label(std::string_view label, ArenaRules rules) {
  return meaning_of_label(label, rules) != nullptr;
}

std::vector<double> game_rows(const GameLabels& labels, ArenaRules rules) {
  std::array<std::vector<double>, 2> rows;
  for (std::size_t game = 0; game < labels.size(); ++game) {
    const LabelMeaning* meaning = labels[game] ? meaning_of_label(*labels[game], rules) : nullptr;
    if (meaning != nullptr) {
      rows[game].assign(meaning->rows, game == 0 ? 1 - meaning->score : meaning->score);
    } else if (rules == ArenaRules::v2) {
      return {};
    }
  }
  rows[0].insert(rows[0].end(), rows[1].begin(), rows[1].end());
  return rows[0];
}

std::vector<ArenaScore> arena_scores(std::span<const ArenaModel> models, ArenaRules rules,
                                     std::int64_t rounds, std::uint64_t seed) {
  const Resampled rates = rules == ArenaRules::v01 ? resample_together(models, rounds, seed)
                                                   : resample_each(models, rounds, seed);
  std::vector<ArenaScore> scores;
  for (std::size_t i = 0; i < models.size(); ++i) {
    scores.push_back(rules == ArenaRules::v01 ? score_v01(models[i], rates[i])
                                              : score_v2(models[i], rates[i]));
  }
  return scores;
}

double percentile(std::vector<double> values, double share) {
  LMPO_CHECK(!values.empty());
  std::ranges::sort(values);
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double rest = place - static_cast<double>(below);
  if (rest == 0 || values[below] == values[above]) {
    return values[below];  // they may be infinite
  }
  const double step = values[above] - values[below];
  return rest < 0.5 ? values[below] + step * rest : values[above] - step * (1 - rest);
}

double rating_of(double win_rate) {
  return 1000 + 400 * std::log10(win_rate / (1 - win_rate));
}

double win_rate_of(double rating) {
  return 1 / (1 + std::pow(10.0, (1000 - rating) / 400));
}

}  // namespace lmpo
