#include "train/best_model.h"

#include <cmath>
#include <string>

#include "base/error.h"

namespace lmpo {
namespace {

bool greater_is_better(const TrainRecipe& recipe) {
  return recipe.greater_is_better.value_or(!recipe.best_metric().ends_with("loss"));
}

}  // namespace

json BestSoFar::to_json() const {
  return {{"metric", metric ? json(*metric) : json()}, {"step", step}, {"worse", worse}};
}

BestSoFar BestSoFar::from_json(const json& content, std::string_view source) {
  BestSoFar best;
  if (content.is_null()) {
    return best;
  }
  if (!content.is_object()) {
    user_error("{}: key 'best': expected an object", source);
  }
  best.step = required<std::int64_t>(content, "step", source);
  best.worse = required<std::int64_t>(content, "worse", source);
  if (best.step > 0) {
    best.metric = required<double>(content, "metric", source);
  }
  return best;
}

void judge(BestSoFar& best, const json& entry, std::int64_t step, const TrainRecipe& recipe) {
  const std::string name = recipe.best_metric();
  if (!entry.contains(name)) {
    user_error("metric_for_best_model: the evaluation has no '{}'", name);
  }
  const double value =
      entry[name].is_number() ? entry[name].get<double>() : std::nan("");  // JSON has no NaN
  const bool better =
      std::isfinite(value) &&
      (!best.metric || (greater_is_better(recipe) ? value > *best.metric : value < *best.metric));
  const bool clearly =
      better && (!best.metric || std::abs(value - *best.metric) > recipe.early_stopping_threshold);
  best.worse = clearly ? 0 : best.worse + 1;
  if (better) {
    best.metric = value;
    best.step = step;
  }
}

bool stops_early(const BestSoFar& best, const TrainRecipe& recipe) {
  return recipe.early_stopping_patience > 0 && best.worse >= recipe.early_stopping_patience;
}

}  // namespace lmpo
