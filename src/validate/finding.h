// What the checks of a run found, and how it is shown. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "inspect/terminal.h"

namespace lmpo {

// error: training would refuse to start or would fail. warning: it would run, but probably not as
// intended. note: worth knowing.
enum class Severity { error, warning, note };
std::string_view name(Severity severity);

struct Finding {
  Severity severity = Severity::note;
  std::string name;    // stable, for programs: "learning_rate_high"
  std::string place;   // where it was set: "recipe.yaml:7: beta", "--beta", "beta (default)", or ""
  std::string reason;  // the fact and why it matters
  std::string remedy;  // what to do
};

// Findings in the order of the checks.
class Findings {
 public:
  void error(std::string name, std::string place, std::string reason, std::string remedy) {
    add({Severity::error, std::move(name), std::move(place), std::move(reason), std::move(remedy)});
  }
  void warning(std::string name, std::string place, std::string reason, std::string remedy) {
    add({Severity::warning, std::move(name), std::move(place), std::move(reason),
         std::move(remedy)});
  }
  void note(std::string name, std::string place, std::string reason, std::string remedy) {
    add({Severity::note, std::move(name), std::move(place), std::move(reason), std::move(remedy)});
  }
  void add(Finding finding) { all_.push_back(std::move(finding)); }
  void add(const Findings& others) {
    all_.insert(all_.end(), others.all_.begin(), others.all_.end());
  }

  const std::vector<Finding>& all() const& { return all_; }
  std::vector<Finding> all() && { return std::move(all_); }  // of a temporary
  std::int64_t count(Severity severity) const;

 private:
  std::vector<Finding> all_;
};

// {"errors": 1, "warnings": 0, "notes": 2, "findings": [{"severity", "name", "place", "reason",
// "remedy"}, ...]}, errors first.
ordered_json to_json(const Findings& findings);
// Errors first, then one line with the counts.
void print(const Findings& findings, TerminalText& out);

}  // namespace lmpo
