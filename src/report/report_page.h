// One self-contained HTML page that compares runs: style, script and data are in it, and it fetches
// nothing. Tables and charts are there without scripts too.
//
//   Report report;
//   report.title = "Methods on the embedded example";
//   report.sections = {{.title = "Table 1", .text = "...", .tables = {...}, .charts = {...}}};
//   report.runs = runs;
//   write_file_atomically("report.html", report_page(report));
//
// All texts are data: nothing in them is taken for markup, and control characters are spelled out.
// The functions are pure and may be called from any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "report/answers.h"
#include "report/chart.h"
#include "report/run.h"

namespace lmpo {

struct ReportTable {
  std::string title;  // may be empty
  std::vector<std::string> head;
  // Each row has as many cells as `head`. The first cell names the row; the others are aligned as
  // numbers. The reader can sort by a column.
  std::vector<std::vector<std::string>> rows;
};

// A section of the page above those of the runs, in the order title, text, tables, charts.
struct ReportSection {
  std::string title;
  std::string text;  // paragraphs, with an empty line between two
  std::vector<ReportTable> tables;
  // Drawn as they are, neither smoothed nor over another x axis. A series that bears the name of a
  // run has the run's colour and hides with it.
  std::vector<Chart> charts;
};

struct Report {
  std::string title = "Training runs";
  std::string subtitle;  // one line below the title; may be empty
  std::vector<ReportSection> sections;
  std::span<const Run> runs;  // may be empty: then the page is its sections
  std::span<const AnswerSet> answers;
  std::int64_t most_prompts = 20;  // the most prompts whose answers are shown
};

std::string report_page(const Report& report);

// All answers of a report: those of its runs in their order, then the answer sets (run: -1). Points
// into the report.
struct ReportAnswers {
  const std::string& name;
  std::ptrdiff_t run;
  const std::vector<Answer>& answers;
};
std::vector<ReportAnswers> answer_sources(const Report& report);

// The page's charts for SVG files: its sections' own charts, the metrics that were logged, lengths of
// answers. Names are different file names without ".svg".
struct NamedChart {
  std::string name;
  Chart chart;
};
std::vector<NamedChart> report_charts(const Report& report);
// Writes them as SVG files into a folder, which is made if needed; returns how many. MachineError.
std::size_t write_charts(const fs::path& folder, const Report& report);

}  // namespace lmpo
