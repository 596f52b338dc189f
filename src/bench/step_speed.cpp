#include "bench/step_speed.h"

#include <chrono>
#include <optional>

#include "base/file.h"
#include "base/random.h"
#include "base/temporary_folder.h"
#include "model/language_model.h"
#include "objective/registry.h"
#include "tensor/arena.h"
#include "train/optimizer.h"

namespace lmpo {
namespace {

std::vector<Trees> cut_batches(std::span<const Tree> trees, const StepSpeedOptions& options) {
  std::vector<Trees> batches;
  std::size_t next = 0;
  for (std::int64_t step = 0; step <= options.steps; ++step) {
    Trees& batch = batches.emplace_back();
    for (std::int64_t i = 0; i < options.batch; ++i) {
      batch.push_back(&trees[next++ % trees.size()]);
    }
  }
  return batches;
}

void count(StepSpeed& speed, const Trees& batch) {
  for (const Tree* tree : batch) {
    ++speed.pairs;
    std::int64_t tokens = 0;
    for (const Sequence& sequence : tree->sequences) {
      tokens += std::ssize(sequence.tokens);
    }
    speed.tokens += tokens;
    // Neither is a sequence's last token computed.
    speed.shared_tokens += tokens - std::ssize(tree->sequences) - tree->input_tokens();
  }
}

LargestPacks largest_packs(std::span<const Trees> batches, const PackLimits& limits,
                           StepSpeed& speed) {
  LargestPacks largest;
  for (const Trees& batch : batches) {
    largest.add(batch, limits);
  }
  for (const Trees& trees : largest.packs()) {
    const Pack pack = make_pack(trees);
    speed.largest_pack = std::max(speed.largest_pack, pack.input_count());
    speed.head_rows = std::max(speed.head_rows, pack.row_count());
  }
  return largest;
}

}  // namespace

std::vector<float> random_weights(const ModelConfig& config) {
  Random random(1, 0);
  std::vector<float> values((std::size_t{1} << 20) + 7);  // no row of a matrix like another
  for (float& value : values) {
    value = static_cast<float>(random.normal() * config.initializer_range);
  }
  return values;
}

StepSpeed measure_steps(const ModelConfig& config, Device& device, Ops& ops,
                        std::span<const Tree> trees, const StepSpeedOptions& options) {
  const std::vector<Trees> batches = cut_batches(trees, options);
  const LanguageModelOptions model_options{.max_positions = longest_sequence(pointers(trees)),
                                           .recompute = options.recompute};
  StepSpeed speed;
  const LargestPacks largest = largest_packs(batches, options.limits, speed);
  speed.memory = plan_memory(config, options.storage, model_options, largest, {}, ops,
                             device.memory_beside_arenas());
  require_memory(speed.memory, device, 0);

  Arena arena = device.make_arena(speed.memory.arena);
  std::optional<Arena> paged;
  if (const std::size_t bytes = speed.memory.disk + speed.memory.host; bytes > 0) {
    paged.emplace(device.make_paged_arena(bytes, temporary_folder()));
  }
  Arena* const elsewhere = paged ? &*paged : nullptr;
  Weights weights(config, options.storage.weights, WeightUse::training, arena,
                  options.storage.optimizer(elsewhere, elsewhere));
  weights.initialize_from(random_weights(config), ops);
  weights.zero_moments(ops);
  speed.parameters = weights.count();
  const auto objective =
      make_objective(options.objective, find_objective(options.objective).defaults);
  // Gives the seconds of all these steps.
  const auto run = [&](std::span<const Trees> steps, WaitForOps wait) {
    const Arena::Scope scope(arena);
    const std::unique_ptr<Ops> timed = make_timed_ops(ops, speed.parts, wait);
    LanguageModel model(weights, *timed, arena, model_options);
    BatchRunner runner(model, *objective, false);
    timed->finish();
    speed.parts = {};
    const auto start = std::chrono::steady_clock::now();
    for (const Trees& batch : steps) {
      weights.zero_gradients(*timed);
      const BatchResult result = runner.train(batch, options.limits);
      const double norm = gradient_norm(weights, *timed);
      adamw_step(weights, *timed, {}, 1, 1e-6, norm);
      objective->end_step(result.context, result.observations);
    }
    timed->finish();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const std::span<const Trees> warm_up(batches.data(), 1);
  const std::span<const Trees> timed_steps(batches.data() + 1, batches.size() - 1);
  run(warm_up, WaitForOps::no);
  speed.seconds = run(timed_steps, WaitForOps::no) / static_cast<double>(options.steps);
  if (ops.is_asynchronous()) {
    run(timed_steps.first(1), WaitForOps::yes);
  } else {
    speed.parts.divide_by(static_cast<double>(options.steps));
  }
  for (const Trees& batch : timed_steps) {
    count(speed, batch);
  }
  speed.peak_memory = device.peak_memory();
  return speed;
}

std::vector<Tree> random_pairs(std::int64_t count, std::int64_t prompt_tokens,
                               std::int64_t response_tokens, std::int64_t vocabulary) {
  Random random(1, 0);
  std::vector<Tree> trees(static_cast<std::size_t>(count));
  const auto append = [&](std::vector<std::int32_t> tokens, std::int64_t more) {
    for (std::int64_t i = 0; i < more; ++i) {
      tokens.push_back(
          static_cast<std::int32_t>(random.uniform() * static_cast<double>(vocabulary)));
    }
    return tokens;
  };
  const auto scored_begin = static_cast<std::int32_t>(prompt_tokens);
  for (Tree& tree : trees) {
    const std::vector<std::int32_t> prompt = append({}, prompt_tokens);
    for (int response = 0; response < 2; ++response) {
      tree.sequences.push_back({append(prompt, response_tokens), scored_begin});
    }
  }
  return trees;
}

}  // namespace lmpo
