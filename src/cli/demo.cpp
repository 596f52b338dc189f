// lmpo demo: the paper in miniature, all methods over the small world.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/log.h"
#include "base/progress.h"
#include "base/standard_streams.h"
#include "base/threads.h"
#include "cli/commands.h"
#include "demo/study_run.h"
#include "recipe/option_set.h"

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
                     "folder for everything; the same folder resumes an earlier demo");
  set.add("seeds", options.seeds,
          "number of seeds, each with its own data, SFT model and order of data",
          {.range = within(1, 1000)});
  set.add("parts", options.parts,
          "methods: all of them, as the paper's Table 1; ablations: its Table 2; lambda and "
          "home_advantage: LMPO with several values",
          {.choices = part_names()});
  set.add("sweep", options.sweep,
          "instead, sweep each method's learning rate and strength, on data of their own");
  set.add("jobs", options.jobs, "training runs at the same time, one thread each",
          {.range = within(1, 4096), .default_text = "one per processor"});
  set.add("max_steps", options.sizes.steps,
          "maximum steps of each preference run, for a quick look",
          {.range = at_least(1), .default_text = "one epoch"});
  set.add("sft_max_steps", options.sizes.sft_steps, "maximum steps of each SFT run",
          {.range = at_least(1), .default_text = "eight epochs"});
  set.section("Examples",
              "  lmpo demo                                  everything, with five seeds\n"
              "  lmpo demo tables --parts methods           the table of methods alone\n"
              "  lmpo demo sweep --sweep                    how the settings were found\n");
}

void show_progress(const JobProgress& progress) {
  put_on_standard_error(fmt::format("{:>4}/{}  {:<32} {:5.1f} s   {} left\n", progress.done,
                                    progress.total, progress.job.folder.string(), progress.seconds,
                                    readable_time(progress.seconds_left)));
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
  const StudyRun study{.root = options.output,
                       .parts = std::move(chosen),
                       .seeds = std::move(seeds),
                       .sizes = options.sizes,
                       .at_once = options.jobs.value_or(available_threads())};
  const FileLock lock = open_study(study.root, LMPO_VERSION);
  if (!run_study(study, show_progress)) {
    log_warning("interrupted. Resume with the same command");
    return 130;
  }
  if (options.sweep) {
    fmt::print("{}", sweep_text(study.root));
    return 0;
  }
  const std::string tables = write_results(study);
  fmt::print("{}Means over {} seed{} ± their standard errors. Curves, runs and answers: {}\n",
             tables, study.seeds.size(), study.seeds.size() == 1 ? "" : "s",
             (study.root / "report.html").string());
  return 0;
}

}  // namespace

constinit const CommandCode kDemoCommand = command<DemoOptions>(
    "The paper in miniature: trains with every method on the toy task of lmpo example, "
    "with several seeds, judges answers to held-out prompts, and prints tables like the "
    "paper's, with standard errors.");

}  // namespace lmpo
