// Log-probabilities of responses under a model, without gradients: `lmpo score`. And rewards, which
// are one more number a response: `lmpo pair`.
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
  // Loads the weights of a model folder. Throws UserError. `compute` as in Device::make_ops.
  // `head`: what kind of model the folder must hold.
  Scorer(const fs::path& model_folder, Dtype storage,
         std::shared_ptr<Device> device = make_cpu_device(), Dtype compute = Dtype::f32,
         Head head = Head::tokens);

  const ModelConfig& config() const { return model_.config; }
  // Calls done(index of the tree, summed log-probability of each of its responses) once for each
  // tree, pack by pack (packer.h); of a reward model, whose trees are made of reward_sequence,
  // done(index, reward of each).
  using Done = std::function<void(std::size_t tree, std::span<const double> sums)>;
  void score(std::span<const Tree> trees, const PackLimits& limits, const Done& done);
  // The same by packs of one's own: calls done(pack, sums of all its responses) in order.
  using PackDone = std::function<void(const Trees& pack, std::span<const double> sums)>;
  void score(std::span<const Trees> packs, const PackDone& done);

 private:
  LoadedModel model_;
};

}  // namespace lmpo
