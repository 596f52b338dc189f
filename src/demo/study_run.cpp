#include "demo/study_run.h"

#include <fmt/format.h>

#include <set>

#include "base/error.h"
#include "base/json.h"
#include "demo/results.h"
#include "demo/study_report.h"
#include "example/world_files.h"

namespace lmpo {

FileLock open_study(const fs::path& root, const std::string& version) {
  const fs::path mark = root / "demo.json";
  const json own = {{"lmpo", version}};
  if (fs::exists(root) && (!fs::is_directory(root) || (!fs::exists(mark) && !fs::is_empty(root)))) {
    user_error(
        "{}: a new or empty folder was expected, or one of an earlier lmpo demo; name another one: "
        "lmpo demo OUT",
        root.string());
  }
  fs::create_directories(root);
  FileLock lock(root);
  if (fs::exists(mark) && read_json(mark) != own) {
    user_error(
        "{}: started by another version of lmpo, and results of two versions must not be mixed; "
        "name another folder: lmpo demo OUT",
        root.string());
  }
  write_file_atomically(mark, own.dump() + "\n");
  return lock;
}

bool run_study(const StudyRun& run, const std::function<void(const JobProgress&)>& ended) {
  std::vector<Job> first;
  std::vector<Job> jobs;
  for (const std::int64_t seed : run.seeds) {
    const fs::path world = run.root / seed_folder(seed) / "world";
    fs::create_directories(world);
    write_world(world, WorldSizes{}, static_cast<std::uint64_t>(seed));
    first.push_back(sft_job(seed, run.sizes));
    std::set<std::string> seen;  // parts may share runs
    for (const Part& part : run.parts) {
      for (const Variant& variant : part.variants) {
        if (seen.insert(variant.name).second) {
          jobs.push_back(variant_job(seed, variant, run.sizes));
        }
      }
    }
  }
  const JobOptions options = {.at_once = run.at_once};
  return run_jobs(run.root, first, options, ended) && run_jobs(run.root, jobs, options, ended);
}

std::string write_results(const StudyRun& run) {
  std::vector<ResultTable> tables;
  std::string text;
  std::string markdown;
  ordered_json content = ordered_json::array();
  for (const Part& part : run.parts) {
    const ResultTable& table = tables.emplace_back(result_table(run.root, part, run.seeds));
    text += to_text(table) + "\n";
    markdown += to_markdown(table) + "\n";
    content.push_back(to_json(table));
  }
  const std::vector<Figure> all_figures = figures(run.root, run.parts, run.seeds);
  for (const Figure& figure : all_figures) {
    write_file_atomically(run.root / (figure.name + ".svg"), charts_svg(figure.charts));
  }
  write_file_atomically(run.root / "results.md", markdown);
  write_file_atomically(run.root / "results.json", content.dump(2) + "\n");
  write_file_atomically(run.root / "report.html",
                        study_page(run.root, run.parts, tables, all_figures, run.seeds));
  return text;
}

std::string sweep_text(const fs::path& root) {
  const SweepResult result = sweep_result(root);
  std::string text;
  for (const ResultTable& table : result.tables) {
    text += to_text(table) + "\n";
  }
  text += "Best win rate at equal length\n";
  for (const std::string& best : result.best) {
    text += "  " + best + "\n";
  }
  return text;
}

}  // namespace lmpo
