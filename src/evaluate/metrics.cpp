#include "evaluate/metrics.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "base/error.h"
#include "base/mean_error.h"

namespace lmpo {
namespace {

// Sum of the first numbers of pairs over that of the second.
double ratio_of(std::span<const double> pairs) {
  double first = 0;
  double second = 0;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    first += pairs[i];
    second += pairs[i + 1];
  }
  return first / second;
}

MetricResult aggregate_metric(const MetricInfo& info, const std::string& filter,
                              std::span<const double> values) {
  MetricResult result{
      .metric = info.name, .filter = filter, .higher_is_better = info.higher_is_better};
  switch (info.aggregation) {
    case Aggregation::mean:
      result.value = mean_error(values).mean;
      if (values.size() > 1) {
        result.stderr_ = mean_error(values).error;
      }
      break;
    case Aggregation::mean_of_parts:
      result.value = mean_error(values).mean;
      break;
    case Aggregation::weighted_perplexity:
      result.value = std::exp(-ratio_of(values));
      break;
    case Aggregation::bits_per_byte:
      result.value = -ratio_of(values) / std::numbers::ln2;
      break;
  }
  return result;
}

std::vector<double> values_of(std::span<const std::vector<Judgement>> judgements,
                              std::size_t filter, const std::string& metric) {
  std::vector<double> values;
  for (const std::vector<Judgement>& document : judgements) {
    for (const MetricValue& value : document[filter].metrics) {
      if (value.name == metric) {
        values.insert(values.end(), value.values.begin(), value.values.end());
      }
    }
  }
  return values;
}

const MetricResult* find_metric(std::span<const MetricResult> results, const std::string& metric,
                                const std::string& filter) {
  const auto found = std::ranges::find_if(results, [&](const MetricResult& result) {
    return result.metric == metric && result.filter == filter;
  });
  return found == results.end() ? nullptr : &*found;
}

std::optional<MetricResult> pooled(const std::string& metric, const std::string& filter,
                                   std::span<const MemberResult> members) {
  MetricResult result{.metric = metric, .filter = filter};
  double documents = 0;
  double squares = 0;
  double count = 0;
  bool has_errors = true;
  for (const MemberResult& member : members) {
    if (const MetricResult* own = find_metric(member.metrics, metric, filter)) {
      const auto size = static_cast<double>(member.documents);
      const double error = own->stderr_.value_or(0);
      result.value += own->value * size;
      result.higher_is_better = own->higher_is_better;
      squares += (size - 1) * error * error * size;
      documents += size;
      count += 1;
      has_errors = has_errors && own->stderr_;
    }
  }
  if (count == 0) {
    return std::nullopt;
  }
  result.value /= documents;
  if (has_errors) {
    result.stderr_ = std::sqrt(squares / (documents - count) / documents);
  }
  return result;
}

}  // namespace

std::vector<MetricResult> aggregate(const TaskInfo& task,
                                    std::span<const std::vector<Judgement>> judgements) {
  std::vector<MetricResult> results;
  for (std::size_t filter = 0; filter < judgements.front().size(); ++filter) {
    for (const MetricInfo& info : task.metrics) {
      results.push_back(aggregate_metric(info, judgements.front()[filter].filter,
                                         values_of(judgements, filter, info.name)));
    }
  }
  return results;
}

std::vector<MetricResult> aggregate_group(std::span<const std::string> metrics,
                                          std::span<const MemberResult> members) {
  std::vector<MetricResult> results;
  for (const std::string& metric : metrics) {
    std::set<std::string> filters;
    for (const MemberResult& member : members) {
      for (const MetricResult& own : member.metrics) {
        if (own.metric == metric) {
          filters.insert(own.filter);
        }
      }
    }
    for (const std::string& filter : filters) {
      if (std::optional<MetricResult> result = pooled(metric, filter, members)) {
        results.push_back(std::move(*result));
      }
    }
  }
  return results;
}

}  // namespace lmpo
