// What a run would be, without running it: its memory, and how long it takes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bench/run_speed.h"
#include "objective/objective.h"
#include "train/run_plan.h"

namespace lmpo {

// The parts of a run's time in seconds.
struct RunTime {
  double step = 0;        // each
  double evaluation = 0;  // each
  double steps = 0;
  double evaluations = 0;
  double reference = 0;  // scoring all data under the reference model, once

  double total() const { return steps * step + evaluations * evaluation + reference; }
};

class DryRun {
 public:
  // Decides what training would and prepares the trees of the inputs as training does; tells the
  // log. `inputs` must outlive it. Needs config.json alone; weights that training would refuse are
  // a warning. UserError for what does not fit together.
  explicit DryRun(TrainInputs& inputs);
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;

  const RunPlan& plan() const { return *plan_; }
  // Measures a few of the run's rows for some seconds and returns a table for a person. Where the
  // run does not fit into memory, a warning and "".
  std::string time_table() const;

 private:
  RunTime time_at(const RunSpeed& speed) const;

  const TrainInputs& inputs_;
  ModelConfig config_;
  std::unique_ptr<Objective> objective_;
  std::unique_ptr<Device> device_;
  std::unique_ptr<Ops> ops_;
  std::optional<RunLength> length_;
  std::optional<RunPlan> plan_;
};

}  // namespace lmpo
