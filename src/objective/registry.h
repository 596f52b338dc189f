// The table of objectives. A new one is a file like simpo.cpp and its name in registry.cpp.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "objective/objective.h"
#include "objective/options.h"
#include "objective/paper.h"

namespace lmpo {

// Settings of the published runs of an objective, with models of 7 to 9 billion parameters.
struct PublishedRuns {
  double lowest_rate = 0;  // learning rates; 0: unknown
  double highest_rate = 0;
  std::int64_t batch = 0;  // examples per step; 0: unknown
  std::string_view source = "";
  double lowest_beta = 0;  // 0: unknown
  double highest_beta = 0;
  // Whether lmpo's own defaults are those of the runs: one epoch, cosine schedule, 10% warm-up.
  bool schedule_is_default = false;
};

// Those of the SimPO paper's search, which many objectives are known by.
constexpr PublishedRuns simpo_search(double lowest_beta = 0, double highest_beta = 0) {
  return {.lowest_rate = 3e-7,
          .highest_rate = 1e-6,
          .batch = 128,
          .source = "the search of the SimPO paper (arXiv 2405.14734, appendix)",
          .lowest_beta = lowest_beta,
          .highest_beta = highest_beta};
}

// `make` of a class that is made from the options.
template <typename Class>
std::unique_ptr<Objective> make_class(const ObjectiveOptions& options) {
  return std::make_unique<Class>(options);
}

struct ObjectiveInfo {
  std::string_view name;
  std::string_view summary;               // one line
  std::string_view formula;               // per pair, in the notation of docs/method.md
  std::optional<Paper> paper;             // none where the method is older than papers on it
  std::vector<std::string_view> options;  // those of ObjectiveOptions that it uses
  ObjectiveOptions defaults;              // where its defaults differ from the common ones
  PublishedRuns published;
  // Throws UserError for options that contradict each other.
  std::unique_ptr<Objective> (*make)(const ObjectiveOptions& options);

  bool uses(std::string_view option) const;
};

// All of them, in the order of docs/method.md.
std::span<const ObjectiveInfo> objectives();
// Throws UserError that names the known ones.
const ObjectiveInfo& find_objective(std::string_view name);

inline std::unique_ptr<Objective> make_objective(std::string_view name,
                                                 const ObjectiveOptions& options) {
  return find_objective(name).make(options);
}

}  // namespace lmpo
