// lmpo example: the whole way in a small world of its own, by the program's own commands.
#include <fmt/format.h>

#include "base/error.h"
#include "base/log.h"
#include "base/standard_streams.h"
#include "cli/command_table.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "example/measure.h"
#include "example/training_flags.h"
#include "example/world_files.h"

namespace lmpo {
namespace {

struct ExampleOptions {
  fs::path output = "lmpo-example";
  std::string objective = "lmpo";
  std::int64_t seed = 42;
  std::int64_t threads = 0;
  bool train = true;
};

using Words = std::vector<std::string>;

// Shows a command as one would type it, and runs it.
void run_step(const std::string& name, const Words& arguments) {
  std::string line = "lmpo " + name;
  for (const std::string& word : arguments) {
    line += " " + word;
  }
  put_on_standard_error(fmt::format("\n$ {}\n", line));
  if (find_command(name).run(arguments) != 0) {
    throw MachineError("the example was interrupted");
  }
}

void declare(OptionSet& set, ExampleOptions& options) {
  set.add_positional("OUT", options.output, "folder for all files; it must be new or empty");
  set.add("objective", options.objective, "objective of the preference optimization",
          {.choices = {"lmpo", "simpo"}});
  set.add("seed", options.seed, "seed of the task and of the training",
          {.range = at_least(0), .letter = 's'});
  add_threads_option(set, options.threads);
  set.add("train", options.train,
          "train; --no_train writes only the task's files and a random model");
  set.section("Examples",
              "  lmpo example                         everything, in less than a minute\n"
              "  lmpo example --objective simpo out   with another objective, into the folder out\n"
              "  lmpo example --no_train out          only the files, for your own training\n");
}

int run(const ExampleOptions& options) {
  apply_threads(options.threads);
  const fs::path& folder = options.output;
  if (fs::exists(folder) && !fs::is_empty(folder)) {
    user_error("{}: the folder is not empty; choose another one: lmpo example OUT",
               folder.string());
  }
  const fs::path world = folder / "world";
  fs::create_directories(world);
  const std::vector<Instruction> prompts =
      write_world(world, WorldSizes{}, static_cast<std::uint64_t>(options.seed));

  run_step("init", {"--config", (world / "config.json").string(), "--tokenizer", world.string(),
                    "--seed", std::to_string(options.seed), (folder / "random").string()});
  if (!options.train) {
    return 0;
  }
  run_step("sft", sft_arguments(folder, options.seed));
  run_step("train", preference_arguments(folder, options.objective, options.seed));

  const auto measured = [&](const std::string& name) {
    return std::pair(name, measure(folder / name, prompts, world / "held_out_preferences.jsonl"));
  };
  fmt::print("\n{}", measured_table({measured("sft"), measured(options.objective)}));
  fmt::print("\ntraining curves: {}\n",
             (folder / options.objective / "training_curves.svg").string());
  return 0;
}

}  // namespace

constinit const CommandCode kExampleCommand = command<ExampleOptions>(
    "Runs the full pipeline (data, SFT, preference optimization) on a synthetic toy task, and "
    "judges the model's greedy answers before and after.");

}  // namespace lmpo
