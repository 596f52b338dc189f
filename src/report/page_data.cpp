#include "report/page_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "base/utf8.h"
#include "report/colours.h"

namespace lmpo {
namespace {

// Entries kept of a curve: the page's, shared by its runs.
constexpr std::size_t kAllEntries = 20'000;
constexpr std::size_t kFewestEntries = 500;
constexpr std::size_t kMostEntries = 3'000;
constexpr std::size_t kMostDots = 40;        // of a line whose points are marked
constexpr std::size_t kLongestText = 8'000;  // bytes of an answer or a prompt
constexpr std::size_t kMostSteps = 12;       // of a run, whose answers are shown

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "null";
}

template <typename Values>
std::string numbers(const Values& values) {
  std::string text = "[";
  for (const double value : values) {
    text += (text.size() > 1 ? "," : "") + number(value);
  }
  return text + "]";
}

std::string json_text(std::string_view text, LineEnds line_ends = LineEnds::escape) {
  return json(printable(text, line_ends)).dump(-1, ' ', true);
}

// Cuts a long text between two characters.
std::string shortened(const std::string& text) {
  if (text.size() <= kLongestText) {
    return text;
  }
  const std::string valid = replace_invalid_utf8(text);
  const std::size_t end = previous_character(valid, kLongestText + 1);
  return valid.substr(0, end) + fmt::format("\n[... {} more bytes]", valid.size() - end);
}

// --- curves

// Buckets of as equal a number of entries as can be.
struct Buckets {
  std::size_t entries;
  std::size_t count;

  std::size_t begin(std::size_t bucket) const { return entries * bucket / count; }
};

std::vector<double> last_of_each(const std::vector<double>& values, const Buckets& buckets) {
  std::vector<double> last;
  for (std::size_t i = 0; i < buckets.count; ++i) {
    last.push_back(values[buckets.begin(i + 1) - 1]);
  }
  return last;
}

std::string column(const std::vector<double>& values, const Buckets& buckets) {
  std::vector<double> mean;
  std::vector<double> low;
  std::vector<double> high;
  for (std::size_t i = 0; i < buckets.count; ++i) {
    double sum = 0;
    int finite = 0;
    double least = std::numeric_limits<double>::infinity();
    double most = -least;
    for (std::size_t at = buckets.begin(i); at < buckets.begin(i + 1); ++at) {
      if (std::isfinite(values[at])) {
        sum += values[at];
        ++finite;
        least = std::min(least, values[at]);
        most = std::max(most, values[at]);
      }
    }
    mean.push_back(finite > 0 ? sum / finite : std::nan(""));
    low.push_back(least);
    high.push_back(most);
  }
  std::string text = R"({"y":)" + numbers(mean);
  if (buckets.count < buckets.entries) {
    text += R"(,"low":)" + numbers(low) + R"(,"high":)" + numbers(high);
  }
  return text + "}";
}

std::string table(const MetricTable& table, const std::set<std::string>& metrics,
                  std::size_t most_entries) {
  const Buckets buckets = {table.size(), std::min(table.size(), most_entries)};
  const bool timed = std::any_of(table.seconds.begin(), table.seconds.end(),
                                 [](double seconds) { return seconds > 0; });
  std::string text = R"({"step":)" + numbers(last_of_each(table.step, buckets)) + R"(,"epoch":)" +
                     numbers(last_of_each(table.epoch, buckets));
  if (timed) {
    text += R"(,"time":)" + numbers(last_of_each(table.seconds, buckets));
  }
  text += R"(,"columns":{)";
  bool first = true;
  for (const auto& [metric, values] : table.columns) {
    if (metrics.contains(metric)) {
      text += (first ? "" : ",") + json_text(metric) + ":" + column(values, buckets);
      first = false;
    }
  }
  return text + "}}";
}

std::string runs_part(const Report& report, std::span<const ChartPlan> plans) {
  std::set<std::string> metrics;
  for (const ChartPlan& plan : plans) {
    for (const Curve& curve : plan.curves) {
      metrics.insert(curve.metric);
    }
  }
  const std::size_t entries = std::clamp(kAllEntries / std::max<std::size_t>(1, report.runs.size()),
                                         kFewestEntries, kMostEntries);
  std::string text = "[";
  for (const Run& run : report.runs) {
    text += text.size() > 1 ? ",\n" : "";
    text += R"({"name":)" + json_text(run.name) + R"(,"state":")" + std::string(name(run.state)) +
            R"(","training":)" + table(run.training, metrics, entries) + R"(,"evaluation":)" +
            table(run.evaluation, metrics, entries) + "}";
  }
  return text + "]";
}

std::string plans_part(std::span<const ChartPlan> plans) {
  std::string text = "[";
  for (const ChartPlan& plan : plans) {
    text += text.size() > 1 ? ",\n" : "";
    text += R"({"title":)" + json_text(plan.title) + R"(,"curves":[)";
    for (const Curve& curve : plan.curves) {
      text += text.back() == '[' ? "" : ",";
      text += fmt::format(
          R"({{"metric":{},"table":"{}","kind":{},"dashed":{},"shown":{},"dots":{},"noisy":{}}})",
          json_text(curve.metric), curve.evaluation ? "evaluation" : "training",
          json_text(curve.kind), curve.dashed, curve.shown, curve.evaluation, curve.noisy);
    }
    text += "]}";
  }
  return text + "]";
}

// --- charts that are drawn as they are

// Of a series, the run whose colour it has, or -1.
std::ptrdiff_t run_of(const Series& series, std::span<const Run> runs) {
  const auto found = std::find_if(runs.begin(), runs.end(),
                                  [&](const Run& run) { return run.name == series.name; });
  return found == runs.end() ? -1 : found - runs.begin();
}

std::string colour_of(const Series& series, std::ptrdiff_t run, const LineColour& palette) {
  return !series.colour.empty() ? series.colour
         : run >= 0             ? fmt::format("var(--run-{})", run)
                                : fmt::format("light-dark({}, {})", palette.light, palette.dark);
}

std::string series_part(const Series& series, std::ptrdiff_t run, const LineColour& palette) {
  const std::vector<Point> points =
      series.errors.empty() ? thinned(series.points, kMostEntries / 2) : series.points;
  std::vector<double> x;
  std::vector<double> y;
  bool rises = true;  // the outline of a histogram does not
  for (const Point& point : points) {
    rises = rises && (x.empty() || point.x > x.back());
    x.push_back(point.x);
    y.push_back(point.y);
  }
  return fmt::format(
      R"({{"name":{},"run":{},"colour":{},"dashed":{},"dots":{},"x":{},"y":{},"errors":{}}})",
      json_text(series.name), run, json_text(colour_of(series, run, palette)), series.dashed,
      rises && points.size() <= kMostDots, numbers(x), numbers(y), numbers(series.errors));
}

std::string charts_part(const Report& report, std::span<const Chart> charts) {
  std::string text = "[";
  for (const Chart& chart : charts) {
    text += text.size() > 1 ? ",\n" : "";
    text += fmt::format(R"({{"title":{},"xLabel":{},"logX":{},"series":[)", json_text(chart.title),
                        json_text(chart.x_label), chart.log_x);
    const std::vector<LineColour> palette = line_colours(chart.series.size());
    for (std::size_t i = 0; i < chart.series.size(); ++i) {
      text += i > 0 ? "," : "";
      text += series_part(chart.series[i], run_of(chart.series[i], report.runs), palette[i]);
    }
    text += "]}";
  }
  return text + "]";
}

// --- answers

// The steps that are shown: first, last, and some between.
std::set<std::int64_t> shown_steps(const std::vector<Answer>& answers) {
  std::set<std::int64_t> all;
  for (const Answer& answer : answers) {
    all.insert(answer.step);
  }
  const std::vector<std::int64_t> steps(all.begin(), all.end());
  std::set<std::int64_t> shown;
  const std::size_t count = std::min(kMostSteps, steps.size());
  for (std::size_t i = 0; i < count; ++i) {
    shown.insert(count == 1 ? steps.back() : steps[(steps.size() - 1) * i / (count - 1)]);
  }
  return shown;
}

class AnswersWriter {
 public:
  explicit AnswersWriter(std::int64_t most_prompts) : most_prompts_(most_prompts) {}

  void add(const std::string& source, std::ptrdiff_t run, const std::vector<Answer>& answers) {
    const std::set<std::int64_t> steps = shown_steps(answers);
    std::string list;
    for (const Answer& answer : answers) {
      const auto prompt = prompt_number(answer.prompt);
      if (prompt && steps.contains(answer.step)) {
        list += fmt::format(R"({}{{"prompt":{},"step":{},"text":{},"tokens":{},"finish":{}}})",
                            list.empty() ? "" : ",\n", *prompt, answer.step,
                            json_text(shortened(answer.response), LineEnds::keep), answer.tokens,
                            json_text(answer.finish_reason));
      }
    }
    if (!list.empty()) {
      sources_ += fmt::format(R"({}{{"name":{},"run":{},"answers":[{}]}})",
                              sources_.empty() ? "" : ",\n", json_text(source), run, list);
    }
  }

  std::string text() const {
    std::string prompts;
    for (const std::string& prompt : prompts_) {
      prompts += (prompts.empty() ? "" : ",") + json_text(shortened(prompt), LineEnds::keep);
    }
    return fmt::format(R"({{"prompts":[{}],"sources":[{}]}})", prompts, sources_);
  }

 private:
  // Nothing for prompts beyond those that are shown.
  std::optional<std::size_t> prompt_number(const std::string& prompt) {
    const auto found = numbers_.find(prompt);
    if (found != numbers_.end()) {
      return found->second;
    }
    if (std::ssize(prompts_) >= most_prompts_) {
      return std::nullopt;
    }
    prompts_.push_back(prompt);
    return numbers_[prompt] = prompts_.size() - 1;
  }

  std::int64_t most_prompts_;
  std::vector<std::string> prompts_;
  std::map<std::string, std::size_t> numbers_;
  std::string sources_;
};

std::string answers_part(const Report& report) {
  AnswersWriter writer(report.most_prompts);
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    writer.add(report.runs[i].name, static_cast<std::ptrdiff_t>(i), report.runs[i].answers);
  }
  for (const AnswerSet& set : report.answers) {
    writer.add(set.name, -1, set.answers);
  }
  return writer.text();
}

// "</script>" and "<!--" would end the element or change how it is read.
std::string safe_in_script(const std::string& text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<' || c == '>' || c == '&') {
      safe += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string page_data(const Report& report, std::span<const ChartPlan> plans,
                      std::span<const Chart> charts) {
  return safe_in_script(fmt::format(
      "{{\"runs\":{},\n\"plans\":{},\n\"charts\":{},\n\"answers\":{}}}", runs_part(report, plans),
      plans_part(plans), charts_part(report, charts), answers_part(report)));
}

}  // namespace lmpo
