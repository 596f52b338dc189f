#include "report/length_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace lmpo {
namespace {

constexpr int kBins = 24;

struct Lengths {
  std::string name;
  std::vector<std::int64_t> tokens;
};

std::vector<std::int64_t> edges_for(std::int64_t longest) {
  const std::int64_t width = std::max<std::int64_t>(1, (longest + kBins) / kBins);
  std::vector<std::int64_t> edges = {0};
  while (edges.back() <= longest) {
    edges.push_back(edges.back() + width);
  }
  return edges;
}

// Shares, because sources differ in their numbers of answers.
Chart histogram(std::string title, const std::vector<Lengths>& all) {
  std::int64_t longest = 0;
  for (const Lengths& lengths : all) {
    longest = std::max(longest, *std::ranges::max_element(lengths.tokens));
  }
  const std::vector<std::int64_t> edges = edges_for(longest);
  const std::int64_t width = edges[1];
  Chart chart{std::move(title), "tokens", {}};
  for (const Lengths& lengths : all) {
    std::vector<std::int64_t> counts(edges.size() - 1, 0);
    for (const std::int64_t tokens : lengths.tokens) {
      ++counts[static_cast<std::size_t>(tokens / width)];
    }
    std::vector<Point> points = outline(edges, counts);
    for (Point& point : points) {
      point.y *= 100.0 / static_cast<double>(lengths.tokens.size());
    }
    chart.series.push_back({lengths.name, std::move(points)});
  }
  return chart;
}

bool was_cut(const Answer& answer) {
  return answer.finish_reason == "length";
}

// Lengths by step, without those that are unknown (0 or less), absurd or of truncated answers.
std::map<std::int64_t, std::vector<std::int64_t>> by_step(const std::vector<Answer>& answers) {
  std::map<std::int64_t, std::vector<std::int64_t>> steps;
  for (const Answer& answer : answers) {
    if (answer.tokens > 0 && answer.tokens < 1'000'000'000 && !was_cut(answer)) {
      steps[answer.step].push_back(answer.tokens);
    }
  }
  return steps;
}

double mean_of(const std::vector<std::int64_t>& tokens) {
  double sum = 0;
  for (const std::int64_t each : tokens) {
    sum += static_cast<double>(each);
  }
  return sum / static_cast<double>(tokens.size());
}

}  // namespace

std::vector<Chart> length_charts(const Report& report) {
  std::vector<Lengths> first;
  std::vector<Lengths> last;
  Chart means{"mean answer length", "step", {}};
  for (const auto& [name, run, answers] : answer_sources(report)) {
    const auto steps = by_step(answers);
    if (steps.empty()) {
      continue;
    }
    last.push_back({name, steps.rbegin()->second});
    if (steps.size() > 1) {
      first.push_back({name, steps.begin()->second});
      Series series{name, {}};
      for (const auto& [step, tokens] : steps) {
        series.points.push_back({static_cast<double>(step), mean_of(tokens)});
      }
      means.series.push_back(std::move(series));
    }
  }
  std::vector<Chart> charts;
  if (!last.empty()) {
    charts.push_back(histogram("answer lengths, %", last));
  }
  if (!first.empty()) {
    charts.push_back(histogram("answer lengths at the first evaluation, %", first));
    charts.push_back(std::move(means));
  }
  return charts;
}

std::string left_out_of_lengths(const Report& report) {
  std::string parts;
  for (const auto& [name, run, answers] : answer_sources(report)) {
    const auto cut = std::ranges::count_if(answers, was_cut);
    if (cut > 0) {
      parts += fmt::format("{}{}: {} of {}", parts.empty() ? "" : ", ", name, cut, answers.size());
    }
  }
  return parts.empty() ? ""
                       : "Answers that were cut at the token limit are left out. " + parts + ".";
}

}  // namespace lmpo
