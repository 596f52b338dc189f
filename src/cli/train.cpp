// lmpo train, lmpo sft: a checkpoint and a preference file in, a trained checkpoint out.
#include "base/error.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/dry_run.h"
#include "cli/load_data.h"
#include "cli/run_facts.h"
#include "cli/template_date.h"
#include "report/training_charts.h"
#include "train/card/model_card.h"
#include "train/interrupt.h"
#include "train/records.h"
#include "train/trainer.h"
#include "validate/output_folder.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
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

void declare_train(OptionSet& set, TrainRecipe& recipe) {
  add_train_options(set, recipe);
  set.section("Examples", kExamples);
}

void declare_sft(OptionSet& set, TrainRecipe& recipe) {
  recipe.objective = "sft";
  add_train_options(set, recipe);
  set.section("Examples", kSftExamples);
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
  recipe.template_date = template_date(recipe);  // recorded with the other options
  RunText text(recipe);
  LoadedData data = load_run_data(recipe, config, text);
  log_findings(recipe, set, config, data, text, *device);
  inputs.recipe = recipe;
  inputs.train = std::move(data.train);
  inputs.evaluation = std::move(data.evaluation);
  inputs.version = LMPO_VERSION;
  inputs.options = set.record();
  if (recipe.dry_run) {
    show_dry_run(inputs, set);
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

constinit const CommandCode kTrainCommand = command<declare_train, run>(
    "Trains a Llama or Mistral checkpoint on preferences, without a reference model.");
constinit const CommandCode kSftCommand =
    command<declare_sft, run>("Fine-tunes a Llama or Mistral checkpoint on answers.");

}  // namespace lmpo
