// Memory before anything is loaded: the run's largest packs against an arena that counts.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/readable.h"
#include "generate/generator.h"
#include "model/language_model.h"
#include "ops/device.h"
#include "train/batch_runner.h"

namespace lmpo {

// Keeps those of many packs that could be the largest: sizes of buffers grow with input tokens,
// predicting rows and scored tokens, so a pack that another one exceeds in all three is left out.
class LargestPacks {
 public:
  // Cuts a batch as it will be cut in training and looks at every pack. UserError for a pack of
  // more tokens than can be counted.
  void add(std::span<const Tree* const> batch, const PackLimits& limits);
  // The same where the sizes of the trees are known: reads no tokens.
  void add(std::span<const Tree* const> batch, std::span<const PackSize> sizes,
           const PackLimits& limits);
  // Looks at a pack as it is.
  void add_pack(const Trees& pack);
  const std::vector<PackSize>& sizes() const { return sizes_; }
  const std::vector<Trees>& packs() const { return packs_; }

 private:
  // Whether the pack is to be kept; makes room for it where it is.
  bool takes(const PackSize& size);

  std::vector<PackSize> sizes_;
  std::vector<Trees> packs_;
};

struct MemoryPlan {
  std::size_t arena = 0;                                    // bytes, exact
  std::map<std::string, std::size_t, std::less<>> at_peak;  // what it holds at the peak
  std::size_t fixed = 0;                                    // what the process takes beside it
  std::size_t disk = 0;                                     // moments in a file
  std::size_t host = 0;                                     // of a GPU's run, in host memory

  std::size_t total() const { return arena + fixed; }
  // Lines for a person: each group and its bytes.
  std::string table() const;
};

// Where something lies that the optimizer alone needs.
enum class Place : std::uint8_t {
  arena,
  file,
  host  // memory of the host of a GPU
};

// How a run keeps its weights and what belongs to them.
struct StoragePlan {
  Dtype weights = Dtype::f32;
  bool eight_bit_moments = false;
  Place moments = Place::arena;
  Place master = Place::arena;  // never a file
  FreezePatterns freeze = {};   // what does not train

  // For Weights, with the arenas of what does not lie in the arena of the weights.
  OptimizerStorage optimizer(Arena* moments_arena, Arena* master_arena) const {
    return {eight_bit_moments, moments == Place::arena ? nullptr : moments_arena,
            master == Place::arena ? nullptr : master_arena, freeze};
  }
};

// The arena of a run that trains on `training` and scores `evaluation` packs; `ops` are those of
// the run. `beside` is what the process takes beside the arena (Device::memory_beside_arenas);
// `samples` what the run generates between its steps.
MemoryPlan plan_memory(const ModelConfig& config, const StoragePlan& storage,
                       const LanguageModelOptions& options, const LargestPacks& training,
                       const LargestPacks& evaluation, const Ops& ops, std::size_t beside = 0,
                       const EngineSize& samples = {});

// Whether the run needs at most `limit` bytes, or (limit 0) what the device can give; and its part
// on the host at most what the machine has free.
bool fits_in_memory(const MemoryPlan& plan, const Device& device, std::size_t limit);
// UserError with the table where it does not.
void require_memory(const MemoryPlan& plan, const Device& device, std::size_t limit);

}  // namespace lmpo
