#include "validate/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/readable.h"

namespace lmpo {
namespace {

std::vector<Finding> by_severity(const Findings& findings) {
  std::vector<Finding> sorted = findings.all();
  std::ranges::stable_sort(sorted, {}, &Finding::severity);
  return sorted;
}

Ink ink_of(Severity severity) {
  static constexpr std::array inks = {Ink::error, Ink::warning, Ink::heading};
  return inks.at(static_cast<std::size_t>(severity));
}

// "no errors", "1 error", "2 errors".
std::string counted_or_no(std::int64_t count, std::string_view what) {
  return count == 0 ? fmt::format("no {}s", what) : counted(count, what);
}

}  // namespace

std::string_view name(Severity severity) {
  static constexpr std::array<std::string_view, 3> names = {"error", "warning", "note"};
  return names.at(static_cast<std::size_t>(severity));
}

std::int64_t Findings::count(Severity severity) const {
  return std::ranges::count(all_, severity, &Finding::severity);
}

ordered_json to_json(const Findings& findings) {
  ordered_json list = ordered_json::array();
  for (const Finding& finding : by_severity(findings)) {
    list.push_back({{"severity", name(finding.severity)},
                    {"name", finding.name},
                    {"place", finding.place},
                    {"reason", finding.reason},
                    {"remedy", finding.remedy}});
  }
  return {{"errors", findings.count(Severity::error)},
          {"warnings", findings.count(Severity::warning)},
          {"notes", findings.count(Severity::note)},
          {"findings", std::move(list)}};
}

void print(const Findings& findings, TerminalText& out) {
  for (const Finding& finding : by_severity(findings)) {
    out.prose(fmt::format("{}: {}{}", name(finding.severity), finding.name,
                          finding.place.empty() ? "" : " at " + finding.place),
              ink_of(finding.severity));
    out.prose("  " + finding.reason, Ink::plain, 2);
    if (!finding.remedy.empty()) {
      out.prose("  -> " + finding.remedy, Ink::plain, 5);
    }
  }
  const std::int64_t errors = findings.count(Severity::error);
  out.prose(fmt::format("{}, {}, {}: {}", counted_or_no(errors, "error"),
                        counted_or_no(findings.count(Severity::warning), "warning"),
                        counted_or_no(findings.count(Severity::note), "note"),
                        errors > 0 ? "lmpo train would fail" : "ready to train"),
            errors > 0 ? Ink::error : Ink::heading);
}

}  // namespace lmpo
