#include "demo/study_report.h"

#include <fmt/format.h>

#include <set>

#include "report/answers.h"
#include "report/report_page.h"
#include "report/run_folder.h"

namespace lmpo {
namespace {

constexpr const char* kColumnsText =
    "Win rate: the mean probability that the answer is preferred to that of the SFT model of the "
    "same seed. The judge of the toy language nearly always prefers the right answer and, if that "
    "does not decide, mostly the longer one. Win rate at equal length: what it would be if both "
    "answers were equally long, by a logistic regression on the difference of lengths; it is not "
    "AlpacaEval's length-controlled win rate. Beside LMPO: the difference of win rates at equal "
    "length with the same seeds. Right: the share of right answers. Tokens: the mean length of "
    "answers.";

ReportSection section_of(const Part& part, const ResultTable& table,
                         std::span<const Figure> figures) {
  ReportSection section{.title = part.title, .text = {}, .tables = {}, .charts = {}};
  std::vector<std::vector<std::string>> lines = to_cells(table);
  std::vector<std::string> head = std::move(lines.front());
  lines.erase(lines.begin());
  section.tables.push_back({.title = "", .head = std::move(head), .rows = std::move(lines)});
  for (const Figure& figure : figures) {
    if (figure.part == part.name) {
      section.charts.insert(section.charts.end(), figure.charts.begin(), figure.charts.end());
    }
  }
  return section;
}

// Each variant once, by its name.
std::vector<Variant> variants_of(std::span<const Part> chosen) {
  std::vector<Variant> all;
  std::set<std::string> seen;
  for (const Part& part : chosen) {
    for (const Variant& variant : part.variants) {
      if (seen.insert(variant.name).second) {
        all.push_back(variant);
      }
    }
  }
  return all;
}

}  // namespace

std::string study_page(const fs::path& root, std::span<const Part> chosen,
                       std::span<const ResultTable> tables, std::span<const Figure> figures,
                       std::span<const std::int64_t> seeds) {
  Report report;
  report.title = "The paper in miniature";
  report.subtitle = fmt::format(
      "means over {} seeds of the toy language ± their standard errors; "
      "below, the runs of seed {}",
      seeds.size(), seeds.front());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    report.sections.push_back(section_of(chosen[i], tables[i], figures));
  }
  report.sections.front().text = kColumnsText;
  std::vector<Run> runs;
  std::vector<AnswerSet> answers;
  const auto answers_of = [&](const std::string& name) {
    return read_answers(root / variant_folder(seeds.front(), name) / kAnswersFile);
  };
  answers.push_back({"SFT, held out", answers_of(kSft)});
  for (const Variant& variant : variants_of(chosen)) {
    runs.push_back(
        read_run_folder(root / variant_folder(seeds.front(), variant.name) / kRunFolder));
    runs.back().name = variant.title;
    answers.push_back({variant.title + ", held out", answers_of(variant.name)});
  }
  report.runs = runs;
  report.answers = answers;
  report.most_prompts = 12;
  return report_page(report);
}

}  // namespace lmpo
