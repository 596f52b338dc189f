#include "report/run_charts.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "report/colours.h"

namespace lmpo {
namespace {

// The same metric in training and in evaluation.
ChartPlan twofold(const char* id, const char* title, const std::string& metric, const char* note) {
  return {id,
          title,
          note,
          {{.metric = metric, .kind = "training"},
           {.metric = "eval_" + metric,
            .evaluation = true,
            .kind = "evaluation",
            .dashed = true,
            .noisy = false}}};
}

// Chosen and rejected responses; those of the evaluation are hidden at first.
ChartPlan contrasted(const char* id, const char* title, const std::string& group,
                     const char* note) {
  ChartPlan plan{id, title, note, {}};
  for (const bool evaluation : {false, true}) {
    for (const char* side : {"chosen", "rejected"}) {
      plan.curves.push_back({.metric = (evaluation ? "eval_" : "") + group + "/" + side,
                             .evaluation = evaluation,
                             .kind = std::string(evaluation ? "evaluation, " : "") + side,
                             .dashed = std::string_view(side) == "rejected",
                             .shown = !evaluation,
                             .noisy = !evaluation});
    }
  }
  return plan;
}

ChartPlan single(const char* id, const char* title, const char* metric, bool noisy,
                 const char* note) {
  return {id, title, note, {{.metric = metric, .kind = "training", .noisy = noisy}}};
}

constexpr const char* kRewardsNote =
    "Scaled by each method's beta: not comparable across methods or betas.";

const std::vector<ChartPlan>& usual_charts() {
  static const std::vector<ChartPlan> all = {
      twofold("loss", "loss", "loss", "Losses of different objectives are not comparable."),
      twofold("reward-accuracy", "reward accuracy", "rewards/accuracies",
              "Share of pairs whose chosen response has the higher reward."),
      contrasted("rewards", "rewards", "rewards", kRewardsNote),
      twofold("reward-margin", "reward margin", "rewards/margins", kRewardsNote),
      contrasted("log-probabilities", "log-probability per token", "logps_per_token",
                 "Mean over the tokens of a response: the same for every method."),
      contrasted("log-probability-sums", "log-probability of whole responses", "logps_sum",
                 "Sum over the tokens of a response: long responses have low sums."),
      contrasted(
          "log-probabilities-as-logged", "logps as logged", "logps",
          "Sums or means per token, depending on the method: not comparable across methods."),
      twofold("token-accuracy", "token accuracy", "mean_token_accuracy",
              "Share of tokens that the model ranks first."),
      contrasted("lengths", "tokens of a response", "lengths", ""),
      single("learning-rate", "learning rate", "learning_rate", false, ""),
      single("gradient-norm", "gradient norm", "grad_norm", true, "Before clipping."),
      single("throughput", "throughput", "throughput", false,
             "Tokens per second since the run began.")};
  return all;
}

const MetricTable& table_of(const Run& run, const Curve& curve) {
  return curve.evaluation ? run.evaluation : run.training;
}

bool is_logged(const Curve& curve, std::span<const Run> runs) {
  return std::ranges::any_of(
      runs, [&](const Run& run) { return table_of(run, curve).has(curve.metric); });
}

// "lmpo/margin_mean" as the name of a file.
std::string file_name(const std::string& metric) {
  std::string name;
  for (const char c : metric) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    name += plain ? c : '-';
  }
  return name.substr(0, 80);
}

std::set<std::string> other_metrics(std::span<const Run> runs) {
  std::set<std::string> known = {"num_tokens", "eval_runtime", "eval_samples_per_second",
                                 "eval_steps_per_second", "eval_samples"};
  for (const ChartPlan& plan : usual_charts()) {
    for (const Curve& curve : plan.curves) {
      known.insert(curve.metric);
    }
  }
  std::set<std::string> others;
  for (const Run& run : runs) {
    for (const MetricTable* table : {&run.training, &run.evaluation}) {
      for (const auto& [metric, values] : table->columns) {
        if (!known.contains(metric)) {
          others.insert(metric.starts_with("eval_") ? metric.substr(5) : metric);
        }
      }
    }
  }
  return others;
}

}  // namespace

std::vector<ChartPlan> plan_charts(std::span<const Run> runs) {
  std::vector<ChartPlan> plans = usual_charts();
  for (const std::string& metric : other_metrics(runs)) {
    ChartPlan plan = twofold("", "", metric, "");
    plan.id = file_name(metric);
    plan.title = metric;
    plan.usual = false;
    plans.push_back(std::move(plan));
  }
  for (ChartPlan& plan : plans) {
    std::erase_if(plan.curves, [&](const Curve& curve) { return !is_logged(curve, runs); });
  }
  std::erase_if(plans, [](const ChartPlan& plan) { return plan.curves.empty(); });
  return plans;
}

std::vector<Point> points_of(const Run& run, const Curve& curve) {
  const MetricTable& table = table_of(run, curve);
  std::vector<Point> points;
  if (const std::vector<double>* values = table.find(curve.metric)) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (std::isfinite((*values)[i])) {
        points.push_back({table.step[i], (*values)[i]});
      }
    }
  }
  return points;
}

Chart drawn(const ChartPlan& plan, std::span<const Run> runs, std::size_t buckets) {
  Chart chart{plan.title, "step", {}};
  const bool several = runs.size() > 1;
  const std::vector<LineColour> colours = line_colours(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (std::size_t kind = 0; kind < plan.curves.size(); ++kind) {
      const Curve& curve = plan.curves[kind];
      const std::vector<Point> points = thinned(points_of(runs[i], curve), buckets);
      if (points.empty()) {
        continue;
      }
      // The line follows about a fifteenth of the run.
      const double memory = std::max(1.0, static_cast<double>(points.size()) / 15);
      chart.series.push_back(
          {.name = !several                 ? curve.kind
                   : plan.curves.size() > 1 ? runs[i].name + " " + curve.kind
                                            : runs[i].name,
           .points = points,
           .smoothing = curve.noisy ? 1 - 1 / memory : 0,
           .colour = several ? colours[i].light : "",
           .dashed = several && curve.dashed,  // else its colour tells it from others
           .run = static_cast<std::ptrdiff_t>(i),
           .kind = kind,
           .hidden = !curve.shown,
           .dots = curve.evaluation});
    }
  }
  return chart;
}

}  // namespace lmpo
