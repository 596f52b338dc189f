// The sections of a run's card.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace lmpo {

// The options of lmpo_run.json: {"value": ..., "source": ..., "place": ...} by name.
class RunSettings {
 public:
  // `source` names the record in errors. UserError if it has no options.
  RunSettings(const json& run, const std::string& source);

  struct Setting {
    std::string name;
    std::string value;  // in the form that help shows defaults in
    std::string from;   // "default", or where it was given: "--beta", "recipe.yaml:7"
    bool given = false;
  };
  const std::vector<Setting>& all() const { return all_; }
  // The value of a setting that is a text; "" if there is none.
  std::string text(const std::string& name) const;
  // The paths of a list of data sources.
  std::vector<std::string> paths(const std::string& name) const;
  // The data sources' names on the Hub, of those that have one.
  std::vector<std::string> hub_datasets() const;

 private:
  json options_;
  std::vector<Setting> all_;
};

// Markdown, each with its heading.
std::string data_section(const json& run, const RunSettings& settings);
// Given settings first, defaults folded away.
std::string settings_section(const RunSettings& settings);
// Last and best values of the metrics (trainer_state.json), then the run's time and memory.
std::string results_section(const json& run, const json& state);

}  // namespace lmpo
