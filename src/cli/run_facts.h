// The facts of a run that its checks look at, and what training does with them.
#pragma once

#include "cli/load_data.h"
#include "validate/checks.h"

namespace lmpo {

// Of data that was read. `option` names it. Responses' ends are looked at where the text side of
// the model was read.
DataFacts read_data_facts(const Dataset& dataset, const TrainRecipe& recipe,
                          const ModelConfig& config, const TextModel* text, std::string what,
                          std::string option);

// Of the machine that will compute the run. Measures, for a tenth of a second, what one of the
// checks makes worth knowing.
MachineFacts machine_facts(Device& device, const TrainRecipe& recipe, CheckedBy by);

// Checks a run that is about to start over what has been read for it, and tells the log of errors
// and warnings that training itself would not: the quick part of lmpo validate.
void log_findings(const TrainRecipe& recipe, const OptionSet& options, const ModelConfig& config,
                  const LoadedData& data, const RunText& text, Device& device);

}  // namespace lmpo
