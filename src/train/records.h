// The records of a run in its output folder, named and laid out as transformers and LLaMA-Factory
// do: trainer_state.json, trainer_log.jsonl, train_results.json, eval_results.json,
// all_results.json.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/progress.h"
#include "recipe/train_recipe.h"
#include "train/memory_plan.h"
#include "train/run_length.h"
#include "train/train_state.h"
#include "train/trainer.h"

namespace lmpo {

// trainer_state.json for the present state.
json trainer_state(const TrainState& state, const TrainRecipe& recipe, const RunLength& length,
                   std::int64_t parameters);

// lmpo_run.json without its "result" and "end": program, options, data, machine.
json run_record(const TrainInputs& inputs, const TrainState& state, const RunLength& length,
                const MemoryPlan& memory);
// Its "end", null while the run continues: `how` is "done", "interrupted" or "failed"; `message` is
// that of the error.
json run_ending(std::string_view how, std::int64_t step, std::string_view message);
// The values of the options, by name.
json option_values(const ordered_json& record);

// One line of trainer_log.jsonl: the last entry of the history and the run's speed, LLaMA-Factory's
// names first.
std::string log_line(const TrainState& state, const RunLength& length, const Progress& progress);

// Removes the lines of a JSON Lines file that `keep` rejects: a resumed run writes them again.
void rewind_lines(const fs::path& path, const std::function<bool(const json& line)>& keep);

// Writes SPLIT_results.json and adds its numbers to all_results.json. Indented by 4, sorted.
void write_results(const fs::path& output_dir, const std::string& split, const json& results);

// Removes the records, curves and checkpoints of an earlier run, but not its model.
void remove_run(const fs::path& output_dir);
inline constexpr const char* kCurvesFile = "training_curves.svg";

// "loss 0.6931", "grad_norm 1.2", ...: an entry of the history for a person. Rewards of both sides
// are shown if there is no margin (kto).
std::vector<std::string> readable_fields(const json& entry);

}  // namespace lmpo
