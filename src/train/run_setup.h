// What a run is made of, decided and loaded before its first step.
#pragma once

#include <memory>
#include <optional>

#include "model/llama.h"
#include "objective/objective.h"
#include "ops/device.h"
#include "ops/timed_ops.h"
#include "train/eval_samples.h"
#include "train/run_length.h"
#include "train/run_plan.h"
#include "train/trainer.h"

namespace lmpo {

// The members refer to one another: it stays where it is.
struct RunSetup {
  // Decides everything and loads nothing. UserError for what does not fit together.
  explicit RunSetup(TrainInputs given);
  RunSetup(const RunSetup&) = delete;
  RunSetup& operator=(const RunSetup&) = delete;

  // Scores the data under the frozen reference model, for objectives that have one.
  void score_reference();
  // Fills the members below `plan`. The optimizer's moments are zero.
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
  std::optional<Llama> model;
};

}  // namespace lmpo
