#include "inspect/lengths.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "report/chart.h"

namespace lmpo {
namespace {

constexpr int kBins = 20;

// The nearest rank's value.
std::int64_t quantile(std::span<const std::int64_t> sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace

std::string Histogram::label(std::size_t bin) const {
  if (bin == 0) {
    return fmt::format("below {}", edges.front());
  }
  if (bin == edges.size()) {
    return fmt::format("{} and up", edges.back());
  }
  const std::int64_t last = edges[bin] - 1;
  return edges[bin - 1] == last ? fmt::format("{}", last)
                                : fmt::format("{} to {}", edges[bin - 1], last);
}

std::vector<std::int64_t> histogram_edges(std::vector<std::int64_t> values, bool two_sided) {
  if (values.empty()) {
    return {0, 1};
  }
  std::ranges::sort(values);
  const std::int64_t low = two_sided ? quantile(values, 0.01) : values.front();
  // The largest value belongs into a bin: edges end after it.
  const std::int64_t high = std::max(quantile(values, 0.99), low) + 1;
  const auto count = static_cast<int>(std::min<std::int64_t>(kBins, high - low));
  std::vector<std::int64_t> edges;
  for (const double mark : ticks(static_cast<double>(low), static_cast<double>(high), count)) {
    edges.push_back(static_cast<std::int64_t>(std::llround(mark)));
  }
  return edges;
}

Histogram histogram(std::span<const std::int64_t> values, std::vector<std::int64_t> edges) {
  Histogram result{.edges = std::move(edges), .counts = {}};
  result.counts.resize(result.edges.size() + 1);
  for (const std::int64_t value : values) {
    const auto above = std::upper_bound(result.edges.begin(), result.edges.end(), value);
    ++result.counts[static_cast<std::size_t>(above - result.edges.begin())];
  }
  return result;
}

LengthSummary summarize(std::string name, std::vector<std::int64_t> values,
                        std::vector<std::int64_t> edges) {
  LengthSummary summary{.name = std::move(name),
                        .count = std::ssize(values),
                        .bins = histogram(values, std::move(edges))};
  if (values.empty()) {
    return summary;
  }
  std::ranges::sort(values);
  summary.mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  summary.least = values.front();
  summary.median = quantile(values, 0.5);
  summary.p90 = quantile(values, 0.9);
  summary.p99 = quantile(values, 0.99);
  summary.most = values.back();
  return summary;
}

ordered_json to_json(const LengthSummary& summary) {
  return {{"name", summary.name},         {"count", summary.count},   {"mean", summary.mean},
          {"min", summary.least},         {"median", summary.median}, {"p90", summary.p90},
          {"p99", summary.p99},           {"max", summary.most},      {"edges", summary.bins.edges},
          {"counts", summary.bins.counts}};
}

}  // namespace lmpo
