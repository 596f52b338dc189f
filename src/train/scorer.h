// Log-probabilities of responses under a model (`lmpo score`) or their rewards under a reward model
// (`lmpo pair`), without gradients.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/file.h"
#include "model/language_model.h"
#include "model/loaded_model.h"
#include "train/packs.h"

namespace lmpo {

class Scorer {
 public:
  // Loads the weights of a model folder, which must have this kind of head. `compute` as in
  // Device::make_ops. Throws UserError.
  Scorer(const fs::path& model_folder, Dtype storage,
         std::shared_ptr<Device> device = make_cpu_device(), Dtype compute = Dtype::f32,
         Head head = Head::tokens);

  const ModelConfig& config() const { return model_.config; }
  // Calls done(index, sums) once for each tree, pack by pack (packer.h). `sums` has the summed
  // log-probability of each response; with a reward model, whose trees come from reward_sequence,
  // their rewards.
  using Done = std::function<void(std::size_t tree, std::span<const double> sums)>;
  void score(std::span<const Tree> trees, const PackLimits& limits, const Done& done);
  // The same for the caller's packs, in order: calls done(pack, sums of all its responses).
  using PackDone = std::function<void(const Trees& pack, std::span<const double> sums)>;
  void score(std::span<const Trees> packs, const PackDone& done);

 private:
  LoadedModel model_;
};

}  // namespace lmpo
