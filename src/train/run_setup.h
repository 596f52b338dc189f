// The parts of a run: chosen and loaded before its first step.
#pragma once

#include <memory>
#include <optional>

#include "model/language_model.h"
#include "objective/objective.h"
#include "ops/device.h"
#include "ops/timed_ops.h"
#include "train/eval_samples.h"
#include "train/run_length.h"
#include "train/run_plan.h"
#include "train/trainer.h"

namespace lmpo {

// Not movable, because the members refer to one another.
struct RunSetup {
  // Chooses everything and loads nothing. UserError for options, model and data that contradict each
  // other.
  explicit RunSetup(TrainInputs given);
  RunSetup(const RunSetup&) = delete;
  RunSetup& operator=(const RunSetup&) = delete;

  // Scores the data under the reference model, if the objective needs one (reference.h).
  void score_reference();
  // Fills the members after `plan`. The optimizer's moments are zero.
  void load_model();

  const TrainRecipe& recipe() const { return inputs.recipe; }

  TrainInputs inputs;
  std::optional<fs::path> resume;  // the checkpoint to resume from
  fs::path weights_folder;
  ModelConfig config;
  RunLength length;
  std::unique_ptr<Objective> objective;
  std::shared_ptr<Device> device;
  std::unique_ptr<Ops> device_ops;
  StepTimes times;           // of the steps since the last log
  std::unique_ptr<Ops> ops;  // the device's, timed
  EvalSamples samples;
  RunPlan plan;

  std::optional<Arena> arena;
  std::optional<Arena> paged;  // for what only the optimizer needs
  std::optional<Weights> weights;
  std::optional<LanguageModel> model;
};

}  // namespace lmpo
