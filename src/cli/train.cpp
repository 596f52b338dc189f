// lmpo train, lmpo sft: a checkpoint and a preference file in, a trained checkpoint out.
#include <algorithm>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/common_options.h"
#include "cli/load_data.h"
#include "report/training_charts.h"
#include "train/card/model_card.h"
#include "train/records.h"
#include "train/trainer.h"

namespace lmpo {
namespace {

constexpr const char* kExamples =
    "  lmpo train --model zephyr-7b-sft-full --data pairs.jsonl --output_dir out\n"
    "  lmpo train recipe.yaml --learning_rate 5e-7        the flag wins over the file\n"
    "  lmpo train recipe.yaml --dry_run                   steps and memory, nothing else\n"
    "  lmpo train recipe.yaml --resume                    go on from the newest checkpoint\n"
    "  lmpo sft --model DIR --data chats.jsonl --output_dir sft\n"
    "  lmpo train --help objective                        a part of all that can be told\n";

// Nothing of an earlier run is mixed up with this one, or lost without being asked.
void check_output(const TrainRecipe& recipe) {
  if (recipe.dry_run) {
    return;
  }
  if (!fs::exists(recipe.output_dir)) {
    return;
  }
  if (!fs::is_directory(recipe.output_dir)) {
    user_error("--output_dir {}: is a file, a folder was expected", recipe.output_dir.string());
  }
  if (fs::equivalent(recipe.output_dir, recipe.model_name_or_path)) {
    user_error("--output_dir {} is the folder of the model itself: name another one",
               recipe.output_dir.string());
  }
  if (recipe.overwrite_output_dir && recipe.resume_from_checkpoint.empty() &&
      fs::equivalent(recipe.output_dir, fs::canonical(recipe.model_name_or_path).parent_path())) {
    user_error(
        "--overwrite_output_dir would delete the model {}, which lies in --output_dir {}: name "
        "another folder",
        recipe.model_name_or_path.string(), recipe.output_dir.string());
  }
  if (recipe.resume_from_checkpoint.empty() && !recipe.overwrite_output_dir &&
      !fs::is_empty(recipe.output_dir)) {
    user_error(
        "--output_dir {}: the folder is not empty. Go on with the run in it by "
        "--resume_from_checkpoint, or replace it by --overwrite_output_dir",
        recipe.output_dir.string());
  }
}

int run_command(const char* command, const char* summary, const char* objective,
                const std::vector<std::string>& arguments) {
  TrainInputs inputs;
  TrainRecipe& recipe = inputs.recipe;
  recipe.objective = objective;
  OptionSet set(command, summary);
  add_train_options(set, recipe);
  set.section("Examples", kExamples);
  if (!set.parse(arguments)) {
    return 0;
  }
  set_log_level(recipe.log_level);
  apply_threads(recipe.threads);
  open_device(recipe.device);  // refused before data is read
  require_model_folder(recipe.model_name_or_path);
  if (!recipe.reference_model.empty()) {
    require_model_folder(recipe.reference_model);
  }
  check_output(recipe);

  const ModelConfig config = read_model_config(recipe.model_name_or_path);
  LoadedData data = load_run_data(recipe, config);
  inputs.train = std::move(data.train);
  inputs.evaluation = std::move(data.evaluation);
  inputs.version = LMPO_VERSION;
  inputs.options = set.record();
  const fs::path output = recipe.output_dir;
  const TrainOutcome outcome = run_training(std::move(inputs));
  if (outcome == TrainOutcome::done) {
    write_training_charts(output / kCurvesFile,
                          read_json(output / "trainer_state.json").at("log_history"));
    log_info("curves: {}", (output / kCurvesFile).string());
    write_card(output, run_card(output));
  }
  return outcome == TrainOutcome::interrupted ? 130 : 0;
}

}  // namespace

int run_train(const std::vector<std::string>& arguments) {
  return run_command("lmpo train",
                     "Trains a Llama or Mistral checkpoint on preferences, without a reference "
                     "model.",
                     "lmpo", arguments);
}

int run_sft(const std::vector<std::string>& arguments) {
  return run_command("lmpo sft", "Fine-tunes a Llama or Mistral checkpoint on answers.", "sft",
                     arguments);
}

}  // namespace lmpo
