#include "data/sampler.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/random.h"

namespace lmpo {
namespace {

// The sampler's random streams are kFirstStream plus the epoch; no other user of a seed has them.
constexpr std::uint64_t kFirstStream = std::uint64_t{0x5a} << 56;

}  // namespace

Sampler::Sampler(std::int64_t examples, const SamplerOptions& options)
    : examples_(examples), options_(options) {
  LMPO_CHECK(examples >= 1 && options.global_batch >= 1);
  LMPO_CHECK(used_per_epoch() > 0);
  start_epoch();
}

std::int64_t Sampler::used_per_epoch() const {
  return options_.drop_last ? examples_ / options_.global_batch * options_.global_batch : examples_;
}

std::int64_t Sampler::batches_per_epoch() const {
  return (used_per_epoch() + options_.global_batch - 1) / options_.global_batch;
}

std::vector<std::int64_t> Sampler::next() {
  const std::int64_t end = std::min(state_.position + options_.global_batch, used_per_epoch());
  std::vector<std::int64_t> batch(order_.begin() + state_.position, order_.begin() + end);
  state_.position = end;
  if (end == used_per_epoch()) {
    state_ = {.epoch = state_.epoch + 1, .position = 0};
    start_epoch();
  }
  return batch;
}

void Sampler::restore(const SamplerState& state) {
  if (state.epoch < 0 || state.position < 0 || state.position >= used_per_epoch()) {
    user_error("cannot resume at epoch {}, example {}: an epoch has {} examples", state.epoch,
               state.position, used_per_epoch());
  }
  state_ = state;
  start_epoch();
}

void Sampler::start_epoch() {
  if (options_.shuffle) {
    order_ = permutation(examples_, options_.seed,
                         kFirstStream + static_cast<std::uint64_t>(state_.epoch));
  } else if (order_.empty()) {
    order_.resize(static_cast<std::size_t>(examples_));
    std::iota(order_.begin(), order_.end(), 0);
  }
}

}  // namespace lmpo
