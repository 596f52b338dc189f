// The charts of a report's page, each in a <figure> with its buttons. Without scripts they remain as
// they are drawn, and the page's style hides the buttons.
#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "report/chart.h"
#include "report/run_charts.h"

namespace lmpo {

// Curves of runs, which follow the reader's x axis and smoothing, or a chart of its own.
using PageChart = std::variant<ChartPlan, Chart>;

class PageFigures {
 public:
  explicit PageFigures(std::span<const Run> runs) : runs_(runs) {}

  // A grid of figures; empty without any. A series that bears the name of a run has the run's
  // colour and hides with it.
  std::string add(std::span<const Chart> charts);
  std::string add(std::span<const ChartPlan> plans);

  // In the order of their places: figure i has data-chart="i".
  std::span<const PageChart> charts() const { return charts_; }

 private:
  std::string figure(const Chart& drawn, const std::string& buttons, const std::string& note);
  Chart in_page_colours(const Chart& chart) const;

  std::span<const Run> runs_;
  std::vector<PageChart> charts_;
};

}  // namespace lmpo
