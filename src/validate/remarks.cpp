#include "validate/remarks.h"

#include <map>

namespace lmpo {
namespace {

// What to do about a remark of the options.
std::string_view remedy_of(const Remark& remark) {
  static const std::map<std::string_view, std::string_view> remedies = {
      {"option_unknown", "correct the name, or remove it"},
      {"option_invalid", "give a valid value, or remove it to use the default"},
      {"option_missing", "give it in the recipe or as a flag"},
      {"options_contradict", "change one of them"},
      {"option_renamed", "no action needed: both names work"},
      {"option_not_used", "no action needed"},
      {"option_ignored", "remove it, or choose an objective that uses it"},
      {"objective_inferred", "if you mean another one, name it: objective: NAME"},
      {"nll_not_added", "set cpo_alpha: 0 for the paper's SimPO, or another number to add its NLL"},
      {"recipe_of_another_program", "compare the settings that lmpo train --dry_run shows"},
      {"recipe_unreadable", "correct the file; its lines have the form 'name: value'"}};
  const auto found = remedies.find(remark.name);
  return found == remedies.end() ? kSeeHelp : found->second;
}

}  // namespace

Findings findings_of(std::span<const Remark> remarks) {
  Findings findings;
  for (const Remark& remark : remarks) {
    const Severity severity = remark.level == LogLevel::error     ? Severity::error
                              : remark.level == LogLevel::warning ? Severity::warning
                                                                  : Severity::note;
    const std::string prefix = remark.place + ": ";
    findings.add({severity, remark.name, remark.place,
                  remark.text.starts_with(prefix) ? remark.text.substr(prefix.size()) : remark.text,
                  std::string(remedy_of(remark))});
  }
  return findings;
}

}  // namespace lmpo
