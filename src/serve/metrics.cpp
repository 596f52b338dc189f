#include "serve/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace lmpo {
namespace {

struct EngineMetric {
  const char* name;
  const char* kind;
  const char* help;
  std::int64_t EngineStatistics::*value;
};

const std::vector<EngineMetric>& engine_metrics() {
  static const std::vector<EngineMetric> all = {
      {"lmpo_requests_waiting", "gauge", "Answers that wait for their turn.",
       &EngineStatistics::waiting},
      {"lmpo_requests_running", "gauge", "Answers that are being computed.",
       &EngineStatistics::running},
      {"lmpo_cache_pages", "gauge", "Pages of the key-value cache.", &EngineStatistics::pages},
      {"lmpo_cache_pages_used", "gauge", "Pages that hold an answer or a remembered prefix.",
       &EngineStatistics::pages_used},
      {"lmpo_steps_total", "counter", "Passes of the model.", &EngineStatistics::steps},
      {"lmpo_prompt_tokens_total", "counter", "Tokens of prompts.",
       &EngineStatistics::prompt_tokens},
      {"lmpo_reused_tokens_total", "counter", "Tokens of prompts that were found in the cache.",
       &EngineStatistics::reused_tokens},
      {"lmpo_new_tokens_total", "counter", "Tokens of answers.", &EngineStatistics::new_tokens},
      {"lmpo_interruptions_total", "counter", "Answers that had to wait for pages.",
       &EngineStatistics::interruptions}};
  return all;
}

std::string heading(std::string_view name, std::string_view kind, std::string_view help) {
  return fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, kind);
}

std::string label(std::string_view value) {
  std::string text;
  for (const char c : value) {
    text += c == '\\' || c == '"' ? std::string{'\\', c} : c == '\n' ? "\\n" : std::string{c};
  }
  return text;
}

}  // namespace

void TimeHistogram::add(double seconds) {
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    below_[i] += seconds <= kBounds[i] ? 1 : 0;
  }
  ++count_;
  sum_ += seconds;
}

std::string TimeHistogram::text(const std::string& name, const std::string& help) const {
  std::string lines = heading(name, "histogram", help);
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    lines += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, kBounds[i], below_[i]);
  }
  return lines + fmt::format("{}_bucket{{le=\"+Inf\"}} {}\n{}_sum {}\n{}_count {}\n", name, count_,
                             name, sum_, name, count_);
}

void ServerMetrics::count_request(const std::string& route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  seconds_.add(seconds);
}

void ServerMetrics::count_first_token(double seconds) {
  const std::lock_guard lock(mutex_);
  first_token_.add(seconds);
}

std::string ServerMetrics::text(std::span<const EngineReport> engines) const {
  std::string lines;
  for (const EngineMetric& metric : engine_metrics()) {
    lines += heading(metric.name, metric.kind, metric.help);
    for (const EngineReport& engine : engines) {
      lines += fmt::format("{}{{model=\"{}\"}} {}\n", metric.name, label(engine.model),
                           engine.statistics.*metric.value);
    }
  }
  const std::lock_guard lock(mutex_);
  lines += heading("lmpo_http_requests_total", "counter", "Requests by path and status.");
  for (const auto& [key, count] : requests_) {
    lines += fmt::format("lmpo_http_requests_total{{path=\"{}\",status=\"{}\"}} {}\n",
                         label(key.first), key.second, count);
  }
  return lines + seconds_.text("lmpo_http_request_seconds", "Time until a reply's end.") +
         first_token_.text("lmpo_first_token_seconds", "Time until an answer's first token.");
}

}  // namespace lmpo
