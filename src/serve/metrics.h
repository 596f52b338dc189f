// What the server counts, and its text for Prometheus.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "generate/engine.h"

namespace lmpo {

// Seconds, as a histogram of Prometheus: how many lie below each bound.
class TimeHistogram {
 public:
  void add(double seconds);
  // The lines of a metric of this name.
  std::string text(const std::string& name, const std::string& help) const;

 private:
  static constexpr std::array<double, 11> kBounds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                     1,    2.5,   5,    10,  60};
  std::array<std::int64_t, kBounds.size()> below_{};
  std::int64_t count_ = 0;
  double sum_ = 0;
};

// An engine's counters and the name of its model.
struct EngineReport {
  std::string model;
  EngineStatistics statistics;
};

// Thread-safe.
class ServerMetrics {
 public:
  // `route` is a path of the table, never what a client made up.
  void count_request(const std::string& route, int status, double seconds);
  void count_first_token(double seconds);
  // Prometheus' text format, version 0.0.4.
  std::string text(std::span<const EngineReport> engines) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, std::int64_t> requests_;
  TimeHistogram seconds_;
  TimeHistogram first_token_;
};

}  // namespace lmpo
