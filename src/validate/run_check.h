// The facts of a run that its checks look at, and the quick part of lmpo validate, which every
// training does.
#pragma once

#include "text/text_model.h"
#include "train/load_data.h"
#include "validate/checks.h"

namespace lmpo {

// Of data that was read. `option` names it. How responses end is looked at where `text` is not
// null.
DataFacts read_data_facts(const Dataset& dataset, const TrainRecipe& recipe,
                          const ModelConfig& config, const TextModel* text, std::string what,
                          std::string option);

// Of the machine that will compute the run. Measures for a tenth of a second where one of the
// checks needs it.
MachineFacts machine_facts(Device& device, const TrainRecipe& recipe, CheckedBy by);

// Checks a run that is about to start and logs, as warnings, the errors and warnings that training
// itself would not tell. `text` is null where the run's tokens came from a cache.
void log_findings(const TrainRecipe& recipe, const SettingPlaces& places, const ModelConfig& config,
                  const LoadedData& data, const TextModel* text, Device& device);

}  // namespace lmpo
