// How a run goes through its data and what memory that takes: decided before anything is loaded.
#pragma once

#include <utility>
#include <vector>

#include "data/sampler.h"
#include "train/memory_plan.h"
#include "train/run_length.h"
#include "train/scorer.h"
#include "train/trainer.h"

namespace lmpo {

using Trees = std::vector<const Tree*>;

Trees pointers(const std::vector<Tree>& trees);
SamplerOptions sampler_options(const TrainRecipe& recipe);
// The sampler's next global batch.
Trees next_batch(Sampler& sampler, const Dataset& data);

class RunPlan {
 public:
  // Takes the fastest way that fits into memory. A GPU's master weights in host memory come before
  // recomputation, and recomputation before smaller packs, because it leaves every bit as it is.
  // Where nothing fits, the plan is the smallest. All must outlive it. UserError for a model that
  // the device cannot compute.
  RunPlan(const TrainInputs& inputs, const ModelConfig& config, const RunLength& length,
          const Device& device, const Ops& ops);

  const MemoryPlan& memory() const { return memory_; }
  const LlamaOptions& model_options() const { return model_options_; }
  const StoragePlan& storage() const { return storage_; }
  // Where the run is too long to look at every batch, packs are kept to the sizes that were planned.
  PackLimits train_limits() const {
    return {most_trees_, recipe().max_pack_tokens,
            looked_at_all_ ? std::vector<PackSize>() : planned_};
  }
  PackLimits eval_limits() const;
  // The packs of the first epoch as training will cut them, and after them what it leaves out.
  std::vector<Trees> first_epoch() const;
  // Tells the log.
  void show() const;

 private:
  const TrainRecipe& recipe() const { return inputs_.recipe; }
  bool smaller_packs() const { return most_trees_ < recipe().per_device_train_batch_size; }
  // Of training and of evaluation.
  std::pair<LargestPacks, LargestPacks> largest_packs() const;
  // What planning looks at of the run's batches: time follows the data, not the steps.
  std::int64_t planned_steps() const;
  void choose(const Ops& ops);
  bool fits(const Ops& ops, const LargestPacks& training, const LargestPacks& evaluation);

  const TrainInputs& inputs_;
  const ModelConfig& config_;
  const RunLength& length_;
  const Device& device_;
  StoragePlan storage_;
  GenerationSize samples_;  // what evaluations generate
  LlamaOptions model_options_;
  std::vector<PackSize> sizes_;  // of the training data's trees
  std::int64_t most_trees_ = 0;  // in a pack
  bool looked_at_all_ = true;
  std::vector<PackSize> planned_;  // the largest packs of training
  MemoryPlan memory_;
};

}  // namespace lmpo
