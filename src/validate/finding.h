// What a check of a run found, and how it is shown.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "inspect/terminal.h"

namespace lmpo {

// error: the run would be refused or would not end; warning: it runs, and probably not as it was
// meant; note: worth knowing.
enum class Severity { error, warning, note };
std::string_view name(Severity severity);

struct Finding {
  Severity severity = Severity::note;
  std::string name;    // stable, for programs: "learning_rate_high"
  std::string place;   // where it was set: "recipe.yaml:7: beta", "--beta", "beta (default)"; or ""
  std::string reason;  // what is so, and why it matters
  std::string remedy;  // what to do
};

// In the order they were found.
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
  std::vector<Finding> all() && { return std::move(all_); }  // of one that ends here
  std::int64_t count(Severity severity) const;

 private:
  std::vector<Finding> all_;
};

// {"errors": 1, "warnings": 0, "notes": 2, "findings": [{"severity", "name", "place", "reason",
// "remedy"}, ...]}, errors first.
ordered_json to_json(const Findings& findings);
// Errors first, and a line that sums up.
void print(const Findings& findings, TerminalText& out);

}  // namespace lmpo
