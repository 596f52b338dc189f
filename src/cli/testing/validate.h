// What the tests of lmpo validate share. For tests only.
#pragma once

#include <algorithm>
#include <set>

#include "cli/testing/bad_input.h"

namespace lmpo {

class Validate : public BadInput {
 protected:
  // A run without mistakes, and what to change in it.
  Words words(const fs::path& folder, const fs::path& data, const Words& more = {}) const {
    Words all = train(folder, data, more);
    all[0] = "validate";
    return all;
  }
  struct Report {
    int exit_code = 0;
    json content;
    std::string err;

    const json* find(const std::string& name) const {
      for (const json& finding : content.at("findings")) {
        if (finding.at("name") == name) {
          return &finding;
        }
      }
      return nullptr;
    }
    // "" if there is no such finding.
    std::string reason(const std::string& name) const {
      const json* finding = find(name);
      return finding == nullptr ? "" : finding->at("reason").get<std::string>();
    }
    std::set<std::string> names(const std::string& severity) const {
      std::set<std::string> all;
      for (const json& finding : content.at("findings")) {
        if (finding.at("severity") == severity) {
          all.insert(finding.at("name").get<std::string>());
        }
      }
      return all;
    }
  };
  static Report report(Words words, Surroundings surroundings = {}) {
    words.emplace_back("--json");
    const Result result = run(words, std::move(surroundings));
    Report report = {result.exit_code, json::parse(result.out, nullptr, false), result.err};
    EXPECT_FALSE(report.content.is_discarded()) << result.out << result.err;
    EXPECT_EQ(report.exit_code, report.content.value("errors", -1) > 0 ? 2 : 0) << result.out;
    return report;
  }
  Report report_of(const fs::path& folder, const fs::path& data, const Words& more = {}) const {
    return report(words(folder, data, more));
  }
  // Expects one of the findings to be this one.
  static void expect_error(const Report& report, const std::string& name, const std::string& place,
                           const std::string& reason) {
    const auto is_it = [&](const json& finding) {
      return finding.at("name") == name && finding.at("place") == place &&
             finding.at("severity") == "error" && finding.at("remedy") != "" &&
             finding.at("reason").get<std::string>().find(reason) != std::string::npos;
    };
    const json& findings = report.content.at("findings");
    EXPECT_TRUE(std::any_of(findings.begin(), findings.end(), is_it))
        << name << " at " << place << ": " << reason << "\nin " << findings.dump(1) << report.err;
  }
};

}  // namespace lmpo
