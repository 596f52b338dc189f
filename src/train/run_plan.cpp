#include "train/run_plan.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/readable.h"
#include "base/threads.h"
#include "model/rope_config.h"
#include "train/eval_samples.h"

namespace lmpo {
namespace {

std::int64_t longest_of_all(const TrainInputs& inputs) {
  const std::int64_t longest = longest_sequence(pointers(inputs.train.trees));
  return inputs.evaluation ? std::max(longest, longest_sequence(pointers(inputs.evaluation->trees)))
                           : longest;
}

// "12345 of 67890 parameters train".
std::string trained_of(const ModelConfig& config, const StoragePlan& storage) {
  Arena counting = Arena::counting();
  const Weights weights(config, storage.weights, WeightUse::training, counting,
                        {.freeze = storage.freeze});
  std::int64_t trained = 0;
  for (const Parameter& parameter : weights.trained()) {
    trained += parameter.value.elements();
  }
  return fmt::format("{} of {} parameters train", trained, weights.count());
}

}  // namespace

SamplerOptions sampler_options(const TrainRecipe& recipe) {
  return {.global_batch = recipe.train_batch_size(),
          .seed = static_cast<std::uint64_t>(recipe.data_seed.value_or(recipe.seed)),
          .shuffle = recipe.train_sampling_strategy == TrainRecipe::Sampling::random,
          .drop_last = recipe.dataloader_drop_last};
}

Trees next_batch(Sampler& sampler, const Dataset& data) {
  Trees batch;
  for (const std::int64_t index : sampler.next()) {
    batch.push_back(&data.trees[static_cast<std::size_t>(index)]);
  }
  return batch;
}

RunPlan::RunPlan(const TrainInputs& inputs, const ModelConfig& config, const RunLength& length,
                 const Device& device, const Ops& ops)
    : inputs_(inputs),
      config_(config),
      length_(length),
      device_(device),
      storage_{.weights = recipe().dtype == "auto" ? config.dtype : parse_dtype(recipe().dtype),
               .eight_bit_moments = recipe().eight_bit_moments(),
               .freeze = recipe().freeze},
      samples_(EvalSamples::planned(inputs, config)),
      model_options_{.max_positions = longest_of_all(inputs),
                     .pad_gradient = inputs.recipe.pad_token_gradient} {
  check_freeze(config, storage_.freeze);
  check_longest_sequence(config, model_options_.max_positions);
  if (model_options_.max_positions > config_.max_positions) {
    log_warning("the longest sequence has {} tokens, but the model's context is {}",
                model_options_.max_positions, config_.max_positions);
  }
  if (recipe().paged_moments()) {
    storage_.moments = device.is_cpu() ? Place::file : Place::host;
  }
  // All tokens are read, which takes a while where there are many.
  sizes_.resize(inputs.train.trees.size());
  parallel_each(std::ssize(sizes_), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    sizes_[i] = size_of(inputs.train.trees[i]);
  });
  const bool repeats = recipe().train_sampling_strategy != TrainRecipe::Sampling::random;
  looked_at_all_ = repeats || planned_steps() == length.total_steps;
  choose(ops);
}

bool RunPlan::fits(const Ops& ops, const LargestPacks& training, const LargestPacks& evaluation) {
  memory_ = plan_memory(config_, storage_, model_options_, training, evaluation, ops,
                        device_.memory_beside_arenas(), samples_);
  return fits_in_memory(memory_, device_, static_cast<std::size_t>(recipe().max_memory.count));
}

void RunPlan::choose(const Ops& ops) {
  std::vector<Place> masters = {Place::arena};
  if (!device_.is_cpu() && storage_.weights != Dtype::f32) {
    masters.push_back(Place::host);
  }
  std::vector<Recompute> ways = {Recompute::none, Recompute::mlp, Recompute::layers};
  if (recipe().recompute != "auto") {
    ways = {parse_recompute(recipe().recompute)};
  }
  for (micro_batch_ = recipe().per_device_train_batch_size;; micro_batch_ /= 2) {
    const auto [training, evaluation] = largest_packs();
    planned_ = training.sizes();
    for (const Recompute way : ways) {
      model_options_.recompute = way;
      for (const Place master : masters) {
        storage_.master = master;
        if (fits(ops, training, evaluation)) {
          return;
        }
      }
    }
    if (micro_batch_ == 1) {
      return;
    }
  }
}

PackLimits RunPlan::eval_limits() const {
  const std::int64_t trees = recipe().per_device_eval_batch_size;
  return {smaller_packs() ? std::min(trees, micro_batch_) : trees, recipe().max_pack_tokens};
}

std::int64_t RunPlan::planned_steps() const {
  constexpr std::int64_t kEpochs = 4;
  constexpr std::int64_t kExamples = 1 << 18;
  const bool shuffled = recipe().train_sampling_strategy == TrainRecipe::Sampling::random;
  const std::int64_t enough = shuffled ? std::max(kEpochs * length_.steps_per_epoch,
                                                  kExamples / recipe().train_batch_size())
                                       : length_.steps_per_epoch;
  return std::min(length_.total_steps, enough);
}

std::pair<LargestPacks, LargestPacks> RunPlan::largest_packs() const {
  LargestPacks training;
  const PackLimits limits{micro_batch_, recipe().max_pack_tokens};
  const std::span<const Tree> trees = inputs_.train.trees;
  Trees batch;
  std::vector<PackSize> sizes;
  Sampler sampler(std::ssize(trees), sampler_options(recipe()));
  for (std::int64_t step = planned_steps(); step > 0; --step) {
    batch.clear();
    sizes.clear();
    for (const std::int64_t index : sampler.next()) {
      batch.push_back(&trees[static_cast<std::size_t>(index)]);
      sizes.push_back(sizes_[static_cast<std::size_t>(index)]);
    }
    training.add(batch, sizes, limits);
  }
  if (!looked_at_all_) {
    // A pack that is too large for the plan is cut, at the end to single trees.
    training.add(pointers(inputs_.train.trees), sizes_, {1, 0});
  }
  LargestPacks evaluation;
  if (inputs_.evaluation) {
    evaluation.add(pointers(inputs_.evaluation->trees), eval_limits());
  }
  return {std::move(training), std::move(evaluation)};
}

std::vector<Trees> RunPlan::first_epoch() const {
  std::vector<Trees> packs;
  std::set<const Tree*> left;
  for (const Tree& tree : inputs_.train.trees) {
    left.insert(&tree);
  }
  const auto add = [&](const Trees& batch) {
    for (auto& pack : packs_of(batch, train_limits())) {
      packs.push_back(std::move(pack));
    }
  };
  Sampler sampler(std::ssize(inputs_.train.trees), sampler_options(recipe()));
  for (std::int64_t step = 0; step < length_.steps_per_epoch; ++step) {
    const Trees batch = next_batch(sampler, inputs_.train);
    add(batch);
    for (const Tree* tree : batch) {
      left.erase(tree);
    }
  }
  add({left.begin(), left.end()});
  return packs;
}

void RunPlan::log() const {
  log_info("{} of {} examples, {} per epoch; {}, {}, {}", counted(length_.total_steps, "step"),
           recipe().train_batch_size(), length_.steps_per_epoch, recipe().objective,
           counted(length_.warmup, "warm-up step"), counted(threads(), "thread"));
  if (!device_.is_cpu()) {
    log_info("device: {}", device_.name());
  }
  if (!storage_.freeze.empty()) {
    log_info("freeze: {}", trained_of(config_, storage_));
  }
  log_info("memory: {} planned ({} arena, {} for the rest{}); recomputed in backward: {}",
           readable_bytes(memory_.total()), readable_bytes(memory_.arena),
           readable_bytes(memory_.fixed),
           memory_.host > 0 ? ", and " + readable_bytes(memory_.host) + " of the host" : "",
           recompute_name(model_options_.recompute));
  if (smaller_packs()) {
    log_info("micro-batch size {} instead of {}, to save memory", micro_batch_,
             recipe().per_device_train_batch_size);
  }
}

}  // namespace lmpo
