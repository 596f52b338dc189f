// lmpo train, lmpo sft: a checkpoint and a preference file in, a trained checkpoint out.
#include <fmt/format.h>

#include <cstdio>

#include "base/error.h"
#include "bench/dry_run.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "model/freeze.h"
#include "report/training_charts.h"
#include "train/card/model_card.h"
#include "train/checkpoints.h"
#include "train/interrupt.h"
#include "train/load_data.h"
#include "train/records.h"
#include "train/trainer.h"
#include "validate/output_folder.h"
#include "validate/run_check.h"

namespace lmpo {
namespace {

struct TrainOptions : TrainRecipe {};
struct SftOptions : TrainRecipe {};

constexpr const char* kTrainExamples =
    "  lmpo train zephyr-7b-sft-full --data pairs.jsonl --output_dir out\n"
    "  lmpo train recipe.yaml --learning_rate 5e-7        the flag wins over the file\n"
    "  lmpo train recipe.yaml --dry_run                   show settings, memory and time\n"
    "  lmpo train recipe.yaml --resume                    resume from the newest checkpoint\n"
    "  lmpo sft --model DIR --data chats.jsonl --output_dir sft\n"
    "  lmpo train --objective simpo --help all            every option, with the defaults of "
    "simpo\n"
    "  lmpo train --help objective                        the options of one group\n";

constexpr const char* kSftExamples =
    "  lmpo sft MODEL --data chats.jsonl --output_dir sft\n"
    "  lmpo sft recipe.yaml --learning_rate 1e-5          the flag wins over the file\n"
    "  lmpo sft MODEL --data chats.jsonl --sft_on conversation --dry_run\n"
    "  lmpo sft recipe.yaml --resume                      resume from the newest checkpoint\n";

void declare(OptionSet& set, TrainOptions& recipe) {
  add_train_options(set, recipe);
  set.section("Examples", kTrainExamples);
}

void declare(OptionSet& set, SftOptions& recipe) {
  recipe.objective = "sft";
  add_train_options(set, recipe);
  set.section("Examples", kSftExamples);
}

// Standard output is flushed before anything is logged, so that both are read in order.
void show_dry_run(TrainInputs& inputs, const std::string& settings) {
  fmt::print("{}\nMemory\n", settings);
  std::fflush(stdout);
  const DryRun run(inputs);
  fmt::print("{}", run.plan().memory().table());
  std::fflush(stdout);
  if (inputs.recipe.time_estimate) {
    fmt::print("{}", run.time_table());
  }
}

int run(TrainRecipe& recipe, const OptionSet& set) {
  set_log_level(recipe.log_level);
  watch_run_signals();
  apply_threads(recipe.threads);
  const auto device = open_device(recipe.device);  // refused before data is read
  require_model_folder(recipe.model_name_or_path);
  if (!recipe.reference_model.empty()) {
    require_model_folder(recipe.reference_model);
  }
  if (!recipe.dry_run) {
    require_output_folder(recipe);
  }

  TrainInputs inputs;
  const ModelConfig config = read_model_config(recipe.model_name_or_path);
  check_freeze(config, recipe.freeze);  // refused before data is read, too
  const fs::path checkpoint =
      recipe.resume_from_checkpoint.empty()
          ? fs::path()
          : find_checkpoint(recipe.resume_from_checkpoint, recipe.output_dir);
  // Recorded with the other options.
  recipe.template_date = template_date(recipe.template_date, checkpoint);
  LazyText text(text_options(recipe));
  LoadedData data = load_run_data(recipe, config, text);
  log_findings(recipe, setting_places(set), config, data, text.if_read(), *device);
  inputs.recipe = recipe;
  inputs.train = std::move(data.train);
  inputs.evaluation = std::move(data.evaluation);
  inputs.version = LMPO_VERSION;
  inputs.options = set.record();
  if (recipe.dry_run) {
    show_dry_run(inputs, set.settings());
    return 0;
  }
  const fs::path output = recipe.output_dir;
  const TrainOutcome outcome = run_training(std::move(inputs));
  if (outcome == TrainOutcome::done) {
    write_training_charts(output / kCurvesFile,
                          read_json(output / "trainer_state.json").at("log_history"));
    log_info("curves: {}", (output / kCurvesFile).string());
    write_card(output, run_card(output));
  }
  set_stop(StopMeans::nothing);
  return outcome == TrainOutcome::interrupted ? 130 : 0;
}

}  // namespace

constinit const CommandCode kTrainCommand = command<TrainOptions>(
    "Trains a Hugging Face checkpoint on preferences, without a reference model.");
constinit const CommandCode kSftCommand =
    command<SftOptions>("Fine-tunes a Hugging Face checkpoint on answers.");

}  // namespace lmpo
