// lmpo demo: the paper in miniature, all methods over the small world.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/log.h"
#include "base/standard_streams.h"
#include "base/threads.h"
#include "cli/commands.h"
#include "demo/results.h"
#include "demo/study_report.h"
#include "example/world_files.h"
#include "recipe/option_set.h"
#include "train/progress.h"

namespace lmpo {
namespace {

struct DemoOptions {
  fs::path output = "lmpo-demo";
  std::int64_t seeds = 5;
  std::vector<std::string> parts;
  bool sweep = false;
  std::optional<std::int64_t> jobs;
  StudySizes sizes;
};

std::vector<std::string> part_names() {
  std::vector<std::string> names;
  for (const Part& part : parts()) {
    names.push_back(part.name);
  }
  return names;
}

void declare(OptionSet& set, DemoOptions& options) {
  options.parts = part_names();
  set.add_positional("OUT", options.output,
                     "folder for all results; the same command resumes from what is in it");
  set.add("seeds", options.seeds,
          "number of seeds, each with its own data, SFT model and order of data",
          {.range = within(1, 1000)});
  set.add("parts", options.parts,
          "methods: all of them, as the paper's Table 1; ablations: its Table 2; lambda and "
          "home_advantage: LMPO with several values",
          {.choices = part_names()});
  set.add("sweep", options.sweep,
          "instead, run the sweep that chose each method's learning rate and strength, on a task "
          "of its own");
  set.add("jobs", options.jobs, "trainings at once, one thread each",
          {.range = within(1, 4096), .default_text = "one per processor"});
  set.add("max_steps", options.sizes.steps, "steps of each preference training, for a quick look",
          {.range = at_least(1), .default_text = "one epoch"});
  set.add("sft_max_steps", options.sizes.sft_steps, "steps of each SFT training",
          {.range = at_least(1), .default_text = "eight epochs"});
  set.section("Examples",
              "  lmpo demo                                  everything, with five seeds\n"
              "  lmpo demo tables --parts methods           the table of methods alone\n"
              "  lmpo demo sweep --sweep                    how the settings were found\n");
}

// Nothing of another study, or of another program's, is mixed up with this one: holds the folder.
FileLock open_study(const fs::path& root) {
  const fs::path mark = root / "demo.json";
  const json own = {{"lmpo", LMPO_VERSION}};
  if (fs::exists(root) && (!fs::is_directory(root) || (!fs::exists(mark) && !fs::is_empty(root)))) {
    user_error(
        "{}: an empty or new folder was expected, or one that lmpo demo has begun; name "
        "another one: lmpo demo OUT",
        root.string());
  }
  fs::create_directories(root);
  FileLock lock(root);
  if (fs::exists(mark) && read_json(mark) != own) {
    user_error(
        "{}: begun by another version of lmpo, whose results do not belong with this one's; "
        "name another folder: lmpo demo OUT",
        root.string());
  }
  write_file_atomically(mark, own.dump() + "\n");
  return lock;
}

bool run_all(const fs::path& root, const std::vector<Job>& jobs, std::int64_t at_once) {
  return run_jobs(root, jobs, {.at_once = at_once}, [](const JobProgress& progress) {
    put_on_standard_error(fmt::format("{:>4}/{}  {:<32} {:5.1f} s   {} left\n", progress.done,
                                      progress.total, progress.job.folder.string(),
                                      progress.seconds, readable_time(progress.seconds_left)));
  });
}

// Worlds, SFT models, then every variant of the parts, a seed after another. False: interrupted.
bool run_study(const DemoOptions& options, std::span<const Part> chosen,
               std::span<const std::int64_t> seeds) {
  const std::int64_t at_once = options.jobs.value_or(available_threads());
  std::vector<Job> first;
  std::vector<Job> jobs;
  for (const std::int64_t seed : seeds) {
    const fs::path world = options.output / seed_folder(seed) / "world";
    fs::create_directories(world);
    write_world(world, WorldSizes{}, static_cast<std::uint64_t>(seed));
    first.push_back(sft_job(seed, options.sizes));
    std::set<std::string> seen;  // parts have runs in common
    for (const Part& part : chosen) {
      for (const Variant& variant : part.variants) {
        if (seen.insert(variant.name).second) {
          jobs.push_back(variant_job(seed, variant, options.sizes));
        }
      }
    }
  }
  return run_all(options.output, first, at_once) && run_all(options.output, jobs, at_once);
}

void write_results(const fs::path& root, std::span<const Part> chosen,
                   std::span<const std::int64_t> seeds) {
  std::vector<ResultTable> tables;
  std::string text;
  std::string markdown;
  ordered_json content = ordered_json::array();
  for (const Part& part : chosen) {
    const ResultTable& table = tables.emplace_back(result_table(root, part, seeds));
    text += to_text(table) + "\n";
    markdown += to_markdown(table) + "\n";
    content.push_back(to_json(table));
  }
  const std::vector<Figure> all_figures = figures(root, chosen, seeds);
  for (const Figure& figure : all_figures) {
    write_file_atomically(root / (figure.name + ".svg"), charts_svg(figure.charts));
  }
  write_file_atomically(root / "results.md", markdown);
  write_file_atomically(root / "results.json", content.dump(2) + "\n");
  write_file_atomically(root / "report.html", study_page(root, chosen, tables, all_figures, seeds));
  fmt::print("{}Means over {} seed{} ± their standard errors. Curves, runs and answers: {}\n", text,
             seeds.size(), seeds.size() == 1 ? "" : "s", (root / "report.html").string());
}

void print_sweep(const fs::path& root) {
  const SweepResult result = sweep_result(root);
  for (const ResultTable& table : result.tables) {
    fmt::print("{}\n", to_text(table));
  }
  fmt::print("Best win rate at equal length\n");
  for (const std::string& best : result.best) {
    fmt::print("  {}\n", best);
  }
}

int run(const DemoOptions& options) {
  std::vector<Part> chosen;
  std::vector<std::int64_t> seeds(static_cast<std::size_t>(options.seeds));
  std::iota(seeds.begin(), seeds.end(), 1);
  if (options.sweep) {
    chosen = {sweep_part()};
    seeds = {kSweepSeed};
  } else {
    std::ranges::copy_if(parts(), std::back_inserter(chosen), [&](const Part& part) {
      return std::ranges::find(options.parts, part.name) != options.parts.end();
    });
  }
  const FileLock lock = open_study(options.output);
  if (!run_study(options, chosen, seeds)) {
    log_warning("interrupted; the same command resumes");
    return 130;
  }
  if (options.sweep) {
    print_sweep(options.output);
  } else {
    write_results(options.output, chosen, seeds);
  }
  return 0;
}

}  // namespace

constinit const CommandCode kDemoCommand = command<declare, run>(
    "The paper in miniature: trains with every method in the small world of lmpo example, with "
    "several seeds, judges answers to held-out prompts, and prints tables like the paper's, with "
    "standard errors.");

}  // namespace lmpo
