#include "report/training_charts.h"

#include <algorithm>

namespace lmpo {
namespace {

struct Curve {
  const char* metric;
  const char* name;
  bool noisy = true;
};

struct Layout {
  const char* title;
  std::vector<Curve> curves;
};

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      {"loss", {{"loss", "training"}, {"eval_loss", "evaluation", false}}},
      {"reward accuracy",
       {{"rewards/accuracies", "training"}, {"eval_rewards/accuracies", "evaluation", false}}},
      {"rewards", {{"rewards/chosen", "chosen"}, {"rewards/rejected", "rejected"}}},
      {"reward margin",
       {{"rewards/margins", "training"}, {"eval_rewards/margins", "evaluation", false}}},
      {"log-probability of responses",
       {{"logps/chosen", "chosen"}, {"logps/rejected", "rejected"}}},
      {"token accuracy",
       {{"mean_token_accuracy", "training"}, {"eval_mean_token_accuracy", "evaluation", false}}},
      {"learning rate", {{"learning_rate", "learning rate", false}}},
      {"gradient norm", {{"grad_norm", "gradient norm"}}}};
  return all;
}

std::vector<Point> points_of(const json& log_history, const char* metric) {
  std::vector<Point> points;
  for (const json& entry : log_history) {
    if (entry.is_object() && entry.value("step", json()).is_number() &&
        entry.value(metric, json()).is_number()) {
      points.push_back({entry["step"].get<double>(), entry[metric].get<double>()});
    }
  }
  return points;
}

}  // namespace

std::vector<Chart> training_charts(const json& log_history) {
  std::vector<Chart> charts;
  for (const Layout& layout : layouts()) {
    Chart chart{layout.title, "step", {}};
    for (const Curve& curve : layout.curves) {
      std::vector<Point> points = points_of(log_history, curve.metric);
      if (!points.empty()) {
        // The line follows about a fifteenth of the run.
        const double memory = std::max(1.0, static_cast<double>(points.size()) / 15);
        chart.series.push_back({curve.name, std::move(points), curve.noisy ? 1 - 1 / memory : 0});
      }
    }
    if (!chart.series.empty()) {
      charts.push_back(std::move(chart));
    }
  }
  return charts;
}

void write_training_charts(const fs::path& path, const json& log_history) {
  write_file_atomically(path, charts_svg(training_charts(log_history)));
}

}  // namespace lmpo
