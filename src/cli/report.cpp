// lmpo report: training runs side by side, as one page and as charts.
#include "base/error.h"
#include "base/log.h"
#include "base/readable.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "report/answers.h"
#include "report/evaluations.h"
#include "report/report_page.h"
#include "report/run_folder.h"

namespace lmpo {
namespace {

constexpr const char* kReportExamples =
    "  lmpo report out                                    one run; the page is report.html\n"
    "  lmpo report lmpo=out/a simpo=out/b -o compare.html\n"
    "  lmpo report sweep                                  all runs in a folder\n"
    "  lmpo report 'sweep/beta-*' --svg charts            and each chart as a file\n"
    "  lmpo report out --answers before=sft.jsonl --answers after=lmpo.jsonl\n"
    "  lmpo report out --evaluations base=results/base --evaluations results/out --table "
    "table.md\n";

struct ReportOptions {
  std::vector<std::string> runs;
  fs::path output = "report.html";
  fs::path svg;
  std::vector<std::string> answers;
  std::vector<std::string> evaluations;
  fs::path table;
  std::string title;
  std::int64_t prompts = 20;
};

void declare(OptionSet& set, ReportOptions& options) {
  set.add_positional(
      "RUN", options.runs,
      "output folders of training runs, finished or not; a folder of such folders; or a "
      "pattern. NAME=FOLDER gives a run a name",
      {.verbatim = true});
  set.add("output", options.output, "the page, a single HTML file",
          {.value_name = "FILE.html", .letter = 'o'});
  set.add("svg", options.svg, "also write each chart as an SVG file into this folder",
          {.value_name = "FOLDER"});
  set.add("answers", options.answers,
          "more answers to show: a file written by lmpo generate; may be repeated",
          {.value_name = "NAME=FILE", .verbatim = true});
  set.add("evaluations", options.evaluations,
          "results to show: a folder that lmpo eval or lm-eval wrote to; may be repeated. The "
          "first model is what others are compared with. Results in a run's folder are found "
          "without it",
          {.value_name = "NAME=FOLDER", .verbatim = true});
  set.add("table", options.table,
          "also write the evaluations as a table in Markdown, with differences from the first "
          "model and their paired standard errors",
          {.value_name = "FILE.md"});
  set.add("prompts", options.prompts, "show answers to at most this many prompts",
          {.range = within(0, 1000)});
  set.add("title", options.title, "title of the page", {.value_name = "TEXT", .verbatim = true});
  set.section("Examples", kReportExamples);
  set.check([&] {
    if (options.runs.empty() && options.evaluations.empty()) {
      user_error("RUN is needed: name a run's folder, or results with --evaluations");
    }
  });
}

int run(const ReportOptions& options, const OptionSet& set) {
  require_folder_for("output", options.output);
  require_folder_for("svg", options.svg);
  require_folder_for("table", options.table);
  if (fs::is_directory(options.output)) {
    set.reject("output", "is a folder; the name of an HTML file was expected");
  }
  const std::vector<Run> runs = read_runs(options.runs);
  const std::vector<AnswerSet> answers = read_answer_sets(options.answers, runs);
  const std::vector<Evaluation> evaluations = read_evaluations(options.evaluations, runs);
  if (evaluations.empty() && !options.table.empty()) {
    set.reject("table", "the runs have no evaluations; name them by --evaluations");
  }
  Report report;
  if (!evaluations.empty()) {
    report.sections.push_back({.title = "Evaluations",
                               .text = "Shares in percent, with standard errors.",
                               .tables = evaluation_tables(evaluations),
                               .charts = {}});
  }
  report.runs = runs;
  report.answers = answers;
  report.most_prompts = options.prompts;
  report.title = !options.title.empty() ? options.title
                 : runs.empty()         ? "Evaluations"
                 : runs.size() == 1     ? runs[0].name
                                        : fmt::format("{} training runs", runs.size());
  const std::string page = report_page(report);
  write_file_atomically(options.output, page);
  log_info("{}: {} {}, {}", options.output.string(), runs.size(), runs.size() == 1 ? "run" : "runs",
           readable_bytes(page.size()));
  if (!options.table.empty()) {
    write_file_atomically(options.table, evaluation_markdown(evaluations));
    log_info("{}: {} {}", options.table.string(), evaluations.size(),
             evaluations.size() == 1 ? "model" : "models");
  }
  if (!options.svg.empty()) {
    log_info("{}: {} charts", options.svg.string(), write_charts(options.svg, report));
  }
  return 0;
}

}  // namespace

constinit const CommandCode kReportCommand = command<ReportOptions>(
    "Compares training runs in one page: settings that differ, curves, last and best metrics, "
    "lengths of answers, answers side by side. Runs may still be in progress.");

}  // namespace lmpo
