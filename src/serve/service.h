// What the endpoints share: the models, the worker, limits, what is counted. Thread-safe.
#pragma once

#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "http/http.h"
#include "serve/metrics.h"
#include "serve/served_model.h"
#include "serve/worker.h"

namespace lmpo {

struct ServiceLimits {
  std::chrono::seconds request_time{600};  // of an answer
};

class Service {
 public:
  // Both must outlive it. `models`: at least one; the worker's sources, in their order.
  Service(const std::vector<ServedModel>& served, Worker& computing, const ServiceLimits& set)
      : models(served), worker(computing), limits(set) {}

  const std::vector<ServedModel>& models;
  Worker& worker;
  const ServiceLimits limits;
  ServerMetrics metrics;

  // The model of this id; "" is the first. ApiError 404, code "model_not_found".
  std::size_t find_model(const std::string& id) const;
  // Says in the log, once a name, which fields of a request do nothing.
  void note_unknown(const std::vector<std::string>& fields);

 private:
  std::mutex mutex_;
  std::set<std::string> noted_;
};

}  // namespace lmpo
