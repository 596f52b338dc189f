// How a run cuts its data into packs and the memory it needs: decided before anything is loaded.
#pragma once

#include <utility>
#include <vector>

#include "data/sampler.h"
#include "train/memory_plan.h"
#include "train/run_length.h"
#include "train/scorer.h"
#include "train/trainer.h"

namespace lmpo {

SamplerOptions sampler_options(const TrainRecipe& recipe);
// The sampler's next global batch.
Trees next_batch(Sampler& sampler, const Dataset& data);

class RunPlan {
 public:
  // Chooses the fastest plan that fits into memory, or else the smallest one. To save memory it
  // tries, in this order: a GPU's master weights in host memory, recomputation, smaller packs. The
  // first two change no bit of the result. All arguments must outlive it. UserError for a model
  // that the device cannot compute.
  RunPlan(const TrainInputs& inputs, const ModelConfig& config, const RunLength& length,
          const Device& device, const Ops& ops);

  const MemoryPlan& memory() const { return memory_; }
  const LanguageModelOptions& model_options() const { return model_options_; }
  const StoragePlan& storage() const { return storage_; }
  // Where the run is too long to look at every batch, packs are limited to the planned sizes.
  PackLimits train_limits() const {
    return {micro_batch_, recipe().max_pack_tokens,
            looked_at_all_ ? std::vector<PackSize>() : planned_};
  }
  PackLimits eval_limits() const;
  // The packs of the first epoch as training will cut them, then those of the trees it leaves out.
  std::vector<Trees> first_epoch() const;
  void log() const;

 private:
  const TrainRecipe& recipe() const { return inputs_.recipe; }
  bool smaller_packs() const { return micro_batch_ < recipe().per_device_train_batch_size; }
  // Of training and of evaluation.
  std::pair<LargestPacks, LargestPacks> largest_packs() const;
  // How many of the run's batches planning looks at: bounded by the data, not by the run's length.
  std::int64_t planned_steps() const;
  void choose(const Ops& ops);
  bool fits(const Ops& ops, const LargestPacks& training, const LargestPacks& evaluation);

  const TrainInputs& inputs_;
  const ModelConfig& config_;
  const RunLength& length_;
  const Device& device_;
  StoragePlan storage_;
  EngineSize samples_;  // of the answers that evaluations generate
  LanguageModelOptions model_options_;
  std::vector<PackSize> sizes_;   // of the training data's trees
  std::int64_t micro_batch_ = 0;  // the recipe's, or a smaller one that fits
  bool looked_at_all_ = true;
  std::vector<PackSize> planned_;  // the largest packs of training
  MemoryPlan memory_;
};

}  // namespace lmpo
