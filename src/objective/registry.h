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
  double lowest_rate = 0;  // learning rates; 0: none is known
  double highest_rate = 0;
  std::int64_t batch = 0;  // examples of a step; 0: not known
  std::string_view source = "";
  double lowest_beta = 0;  // 0: none is known
  double highest_beta = 0;
  // One epoch, a cosine schedule and 10% warm-up, which all of them had, are its defaults.
  bool schedule_is_default = false;
};

// Of those that were not published one by one.
inline constexpr std::string_view kSimpoSearch =
    "the search of the SimPO paper (arXiv 2405.14734, appendix)";

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
