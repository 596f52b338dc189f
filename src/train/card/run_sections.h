// The parts of a run's card that are made of its records.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace lmpo {

// The options of lmpo_run.json: {"value": ..., "source": ..., "place": ...} by name.
class RunSettings {
 public:
  // `source` names the record in errors. UserError where it has no options.
  RunSettings(const json& run, const std::string& source);

  struct Setting {
    std::string name;
    std::string value;  // as help shows defaults
    std::string from;   // "default", or where it was given: "--beta", "recipe.yaml:7"
    bool given = false;
  };
  const std::vector<Setting>& all() const { return all_; }
  // Of a setting whose value is a text; "" for none.
  std::string text(const std::string& name) const;
  // The paths of a list of data sources.
  std::vector<std::string> paths(const std::string& name) const;
  // Names on the Hub of the data sources that have one.
  std::vector<std::string> hub_datasets() const;

 private:
  json options_;
  std::vector<Setting> all_;
};

// Markdown, each with its heading.
std::string data_section(const json& run, const RunSettings& settings);
// Those that were given first, the others folded away.
std::string settings_section(const RunSettings& settings);
// The last and best values of what was logged (trainer_state.json), then what the run took.
std::string results_section(const json& run, const json& state);

}  // namespace lmpo
