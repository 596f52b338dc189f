// One HTML page that compares runs and needs nothing else: style, script and data are in it, and
// nothing is fetched. Without scripts its tables and drawn charts remain.
//
//   Report report;
//   report.title = "Methods on the embedded example";
//   report.sections = {{.title = "Table 1", .text = "...", .tables = {...}, .charts = {...}}};
//   report.runs = runs;
//   write_file_atomically("report.html", report_page(report));
//
// Every text may hold anything: nothing in it is markup, and what cannot be seen is named.
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
  // As many cells as `head`. The first cell names the row; the others are aligned as numbers. A
  // reader may sort by a column.
  std::vector<std::vector<std::string>> rows;
};

// A part of the page above those of the runs, in the order title, text, tables, charts.
struct ReportSection {
  std::string title;
  std::string text;  // paragraphs, with an empty line between two
  std::vector<ReportTable> tables;
  // With hover values, and drawn as they are: neither smoothed nor shown over another axis. A
  // series that bears the name of a run has the run's colour and hides with it.
  std::vector<Chart> charts;
};

struct Report {
  std::string title = "Training runs";
  std::string subtitle;  // one line below the title; may be empty
  std::vector<ReportSection> sections;
  std::span<const Run> runs;  // may be empty: then the page is its sections
  std::span<const AnswerSet> answers;
  std::int64_t most_prompts = 20;  // whose answers are shown
};

std::string report_page(const Report& report);

// The charts that the page has for these runs, for SVG files: one for each thing people look at, of
// what was logged, then lengths of answers. The names are those of files, without ".svg".
struct NamedChart {
  std::string name;
  Chart chart;
};
std::vector<NamedChart> report_charts(const Report& report);

}  // namespace lmpo
