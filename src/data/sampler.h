// The order of examples: global batches of indices, which depend only on (seed, epoch).
//
// Each epoch is a permutation of all examples (or the order of the data), split into consecutive
// global batches. The last batch of an epoch may be smaller, so an epoch has ceil(examples / global
// batch) steps, as with transformers' Trainer and gradient accumulation.
#pragma once

#include <cstdint>
#include <vector>

namespace lmpo {

struct SamplerOptions {
  std::int64_t global_batch = 1;  // examples per optimizer step, gradient accumulation included
  std::uint64_t seed = 42;
  bool shuffle = true;     // false: the order of the data
  bool drop_last = false;  // true: drop an epoch's incomplete last batch
};

// All that has to be saved to resume: the epoch and the number of its examples already used.
struct SamplerState {
  std::int64_t epoch = 0;
  std::int64_t position = 0;

  bool operator==(const SamplerState&) const = default;
};

// Not thread-safe.
class Sampler {
 public:
  // Requires examples >= 1 and global_batch >= 1; with drop_last, at least one whole batch.
  Sampler(std::int64_t examples, const SamplerOptions& options);

  std::int64_t batches_per_epoch() const;
  // The next global batch; continues with the next epoch, without end.
  std::vector<std::int64_t> next();

  // The state after the last batch taken. At the end of an epoch it is the next epoch's beginning.
  SamplerState state() const { return state_; }
  // Resumes from a saved state, which must come from the same number of examples and the same
  // options. Throws UserError for a position outside the epoch.
  void restore(const SamplerState& state);

 private:
  std::int64_t used_per_epoch() const;
  void start_epoch();

  std::int64_t examples_;
  SamplerOptions options_;
  SamplerState state_;
  std::vector<std::int64_t> order_;
};

}  // namespace lmpo
