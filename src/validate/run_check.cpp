#include "validate/run_check.h"

#include "base/log.h"
#include "base/threads.h"
#include "bench/machine_speed.h"
#include "objective/registry.h"

namespace lmpo {

DataFacts read_data_facts(const Dataset& dataset, const TrainRecipe& recipe,
                          const ModelConfig& config, const TextModel* text, std::string what,
                          std::string option) {
  std::optional<TurnEnds> ends;
  if (text != nullptr) {
    ends.emplace(text->tokenizer, read_stop_ids(recipe.model_name_or_path, config));
  }
  DataFacts facts = data_facts(dataset, recipe.data, ends ? &*ends : nullptr);
  facts.what = std::move(what);
  facts.option = std::move(option);
  return facts;
}

MachineFacts machine_facts(Device& device, const TrainRecipe& recipe, CheckedBy by) {
  // Training warns of a slower arithmetic, and leaves advice on a faster one to validate.
  const bool in_question =
      recipe.compute == "bfloat16" ||
      (by == CheckedBy::validate && recipe.compute == "auto" && recipe.dtype == "bfloat16");
  return {.computes_on_cpu = device.is_cpu(),
          .has_unused_gpu = device.is_cpu() && has_gpu(),
          .bfloat16_rate = device.is_cpu() && in_question ? bfloat16_rate(device) : 0,
          .processors = available_threads()};
}

void log_findings(const TrainRecipe& recipe, const SettingPlaces& places, const ModelConfig& config,
                  const LoadedData& data, const TextModel* text, Device& device) {
  RunFacts facts(recipe, places);
  facts.model = config;
  if (text != nullptr) {
    facts.text = text_facts(text->tokenizer, text->chat_template(),
                            read_stop_ids(recipe.model_name_or_path, config));
  }
  const auto of = [&](const Dataset& dataset, const char* what, const char* option) {
    return read_data_facts(dataset, recipe, config, text, what, option);
  };
  facts.train = of(data.train, "train data", "dataset");
  if (data.evaluation) {
    const bool held_out = recipe.test_split_size > 0;
    facts.evaluation =
        of(*data.evaluation, "evaluation data", held_out ? "test_split_size" : "eval_dataset");
  }
  facts.machine = machine_facts(device, recipe, CheckedBy::training);
  facts.needs_reference =
      make_objective(recipe.objective, recipe.objective_options)->needs_reference();
  facts.length = RunLength(recipe, facts.train->examples);
  if (!recipe.dry_run) {
    facts.disk = disk_facts(recipe, config, *facts.length);
  }
  for (const Finding& finding : check_run(facts, CheckedBy::training).all()) {
    if (finding.severity != Severity::note) {
      log_warning("{} ({}): {}: {}", finding.name, finding.place, finding.reason, finding.remedy);
    }
  }
}

}  // namespace lmpo
