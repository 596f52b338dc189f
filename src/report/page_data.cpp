#include "report/page_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "base/utf8.h"

namespace lmpo {
namespace {

// Entries kept of a curve: the page's, shared by its runs.
constexpr std::size_t kAllEntries = 20'000;
constexpr std::size_t kFewestEntries = 500;
constexpr std::size_t kMostEntries = 3'000;
constexpr std::size_t kLongestText = 8'000;   // bytes of an answer or a prompt
constexpr std::size_t kMostAnswerSteps = 12;  // of a run, whose answers are shown

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
  const bool timed = std::ranges::any_of(table.seconds, [](double seconds) { return seconds > 0; });
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

std::string runs_part(const Report& report, std::span<const PageChart> charts) {
  std::set<std::string> metrics;
  for (const PageChart& chart : charts) {
    if (const auto* plan = std::get_if<ChartPlan>(&chart)) {
      for (const Curve& curve : plan->curves) {
        metrics.insert(curve.metric);
      }
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

std::string curves_part(const ChartPlan& plan) {
  std::string curves;
  for (const Curve& curve : plan.curves) {
    curves += fmt::format(R"({}{{"metric":{},"table":"{}","noisy":{}}})", curves.empty() ? "" : ",",
                          json_text(curve.metric), curve.evaluation ? "evaluation" : "training",
                          curve.noisy);
  }
  return fmt::format(R"({{"curves":[{}]}})", curves);
}

std::string series_part(const Chart& chart) {
  std::string all;
  for (const Series& series : chart.series) {
    const std::vector<Point> points =
        series.errors.empty() ? thinned(series.points, kMostEntries / 2) : series.points;
    std::vector<double> x;
    std::vector<double> y;
    for (const Point& point : points) {
      x.push_back(point.x);
      y.push_back(point.y);
    }
    all += fmt::format(R"({}{{"x":{},"y":{},"errors":{}}})", all.empty() ? "" : ",", numbers(x),
                       numbers(y), numbers(series.errors));
  }
  return fmt::format(R"({{"xLabel":{},"logX":{},"series":[{}]}})", json_text(chart.x_label),
                     chart.log_x, all);
}

std::string charts_part(std::span<const PageChart> charts) {
  std::string text = "[";
  for (const PageChart& chart : charts) {
    text += text.size() > 1 ? ",\n" : "";
    const auto* plan = std::get_if<ChartPlan>(&chart);
    text += plan != nullptr ? curves_part(*plan) : series_part(std::get<Chart>(chart));
  }
  return text + "]";
}

// The steps that are shown: first, last, and some between.
std::set<std::int64_t> shown_steps(const std::vector<Answer>& answers) {
  std::set<std::int64_t> all;
  for (const Answer& answer : answers) {
    all.insert(answer.step);
  }
  const std::vector<std::int64_t> steps(all.begin(), all.end());
  std::set<std::int64_t> shown;
  const std::size_t count = std::min(kMostAnswerSteps, steps.size());
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
  for (const auto& [source, run, answers] : answer_sources(report)) {
    writer.add(source, run, answers);
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

std::string page_data(const Report& report, std::span<const PageChart> charts) {
  return safe_in_script(fmt::format("{{\"runs\":{},\n\"charts\":{},\n\"answers\":{}}}",
                                    runs_part(report, charts), charts_part(charts),
                                    answers_part(report)));
}

}  // namespace lmpo
