#include "objective/objective.h"

#include <cmath>

#include "base/error.h"

namespace lmpo {

void MetricSums::add(std::string_view name, double value, double weight) {
  auto found = sums_.find(name);
  if (found == sums_.end()) {
    found = sums_.emplace(name, Sum{}).first;
  }
  found->second.total += value * weight;
  found->second.weight += weight;
}

void MetricSums::add(const Metrics& metrics) {
  for (const Metric& metric : metrics) {
    add(metric.name, metric.value, metric.weight);
  }
}

void MetricSums::merge(const MetricSums& other) {
  for (const auto& [name, sum] : other.sums_) {
    Sum& mine = sums_[name];
    mine.total += sum.total;
    mine.weight += sum.weight;
  }
}

std::map<std::string, double> MetricSums::means() const {
  std::map<std::string, double> result;
  for (const auto& [name, sum] : sums_) {
    if (sum.weight != 0) {
      result[name] = sum.total / sum.weight;
    }
  }
  return result;
}

json MetricSums::to_json() const {
  json content = json::object();
  for (const auto& [name, sum] : sums_) {
    content[name] = {{"total", sum.total}, {"weight", sum.weight}};
  }
  return content;
}

MetricSums MetricSums::from_json(const json& content) {
  const std::string_view source = "the checkpoint's metrics";
  if (!content.is_object()) {
    user_error("{}: expected an object", source);
  }
  MetricSums sums;
  for (const auto& [name, sum] : content.items()) {
    sums.sums_[name] = {.total = required<double>(sum, "total", source),
                        .weight = required<double>(sum, "weight", source)};
  }
  return sums;
}

double softplus(double z) {
  return z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z));
}

double sigmoid(double z) {
  if (z >= 0) {
    return 1 / (1 + std::exp(-z));
  }
  const double e = std::exp(z);
  return e / (1 + e);
}

}  // namespace lmpo
