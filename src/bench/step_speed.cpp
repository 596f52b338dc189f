#include "bench/step_speed.h"

#include <chrono>

#include "base/random.h"
#include "model/llama.h"
#include "objective/registry.h"
#include "train/memory_plan.h"
#include "train/optimizer.h"

namespace lmpo {
namespace {

using Trees = std::vector<const Tree*>;

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

std::int64_t longest(std::span<const Tree> trees) {
  std::size_t result = 0;
  for (const Tree& tree : trees) {
    for (const Sequence& sequence : tree.sequences) {
      result = std::max(result, sequence.tokens.size());
    }
  }
  return static_cast<std::int64_t>(result);
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

}  // namespace

StepSpeed measure_steps(const ModelConfig& config, Ops& ops, std::span<const Tree> trees,
                        const StepSpeedOptions& options) {
  const std::vector<Trees> batches = cut_batches(trees, options);
  const LlamaOptions model_options{.max_positions = longest(trees), .recompute = options.recompute};
  LargestPacks largest;
  for (const Trees& batch : batches) {
    largest.add(batch, options.limits);
  }
  StepSpeed speed;
  speed.arena = plan_memory(config, {options.storage}, model_options, largest, {}, ops).arena;
  for (const Trees& pack : largest.packs()) {
    const Pack made = make_pack(pack);
    speed.largest_pack = std::max(speed.largest_pack, made.input_count());
    speed.head_rows = std::max(speed.head_rows, made.row_count());
  }

  Arena arena = Arena::host(speed.arena);
  const std::unique_ptr<Ops> timed = make_timed_ops(ops, speed.parts);
  Weights weights(config, options.storage, WeightUse::training, arena);
  weights.initialize(1, *timed);
  weights.zero_moments(*timed);
  speed.parameters = weights.count();
  Llama model(weights, *timed, arena, model_options);
  const auto objective =
      make_objective(options.objective, find_objective(options.objective).defaults);
  BatchRunner runner(model, *objective, false);
  auto start = std::chrono::steady_clock::now();
  for (std::size_t step = 0; step < batches.size(); ++step) {
    if (step == 1) {
      speed.parts = {};
      start = std::chrono::steady_clock::now();
    }
    weights.zero_gradients(*timed);
    runner.train(batches[step], options.limits);
    const double norm = gradient_norm(weights, *timed);
    adamw_step(weights, *timed, {}, static_cast<std::int64_t>(step) + 1, 1e-6, norm);
    objective->end_step();
    if (step > 0) {
      count(speed, batches[step]);
    }
  }
  speed.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
