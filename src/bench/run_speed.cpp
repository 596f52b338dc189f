#include "bench/run_speed.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/random.h"
#include "bench/step_speed.h"
#include "model/language_model.h"
#include "ops/timed_ops.h"
#include "tensor/arena.h"
#include "train/optimizer.h"

namespace lmpo {
namespace {

// Above these a part of the model is measured: its weights alone would take seconds to make.
constexpr std::int64_t kMostElements = 60'000'000;  // of all layers
constexpr std::int64_t kMostVocabulary = 8192;
constexpr std::size_t kMostTrees = 64;

using Clock = std::chrono::steady_clock;

template <typename Body>
double seconds_of(Ops& ops, const Body& body) {
  ops.finish();
  const auto start = Clock::now();
  body();
  ops.finish();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Every kth, so that long and short ones, and those of every source, have their part.
std::vector<Tree> spread(std::span<const Tree> trees, std::size_t most, std::int64_t vocabulary) {
  std::vector<Tree> chosen;
  const std::size_t count = std::min(most, trees.size());
  for (std::size_t i = 0; i < count; ++i) {
    const Tree& tree = trees[i * trees.size() / count];
    Tree& copy = chosen.emplace_back();
    for (const Sequence& sequence : tree.sequences) {
      std::vector<std::int32_t> tokens(sequence.tokens.begin(), sequence.tokens.end());
      for (std::int32_t& token : tokens) {
        token = static_cast<std::int32_t>(token % vocabulary);
      }
      copy.sequences.push_back({std::move(tokens), sequence.scored_begin, sequence.gaps});
    }
  }
  return chosen;
}

void train_on(LanguageModel& model, const Pack& pack) {
  model.train(pack, [](std::span<const double> sums, std::span<double> seeds) {
    std::ranges::fill(seeds, -1.0 / static_cast<double>(sums.size()));
  });
}

// A model that only counts: memory, and operations of a pack.
struct Counted {
  std::size_t weights = 0;      // bytes
  std::size_t activations = 0;  // bytes
  std::int64_t elements = 0;    // weights that train
  double operations = 0;        // of forward and backward
};

// What is paged is not waited for: it lies in the arena of the weights.
OptimizerStorage optimizer_storage(const RunWay& way) {
  return {.eight_bit_moments = way.storage.eight_bit_moments, .freeze = way.storage.freeze};
}

Counted count(const ModelConfig& config, const RunWay& way, const Ops& ops,
              const LanguageModelOptions& options, const Pack& pack) {
  Arena weight_arena = Arena::counting();
  Arena arena = Arena::counting();
  StepTimes times;
  const std::unique_ptr<Ops> plan_ops = make_plan_ops(ops);
  const std::unique_ptr<Ops> timed = make_timed_ops(*plan_ops, times);
  Weights weights(config, way.storage.weights, WeightUse::training, weight_arena,
                  optimizer_storage(way));
  LanguageModel model(weights, *timed, arena, options);
  train_on(model, pack);
  std::int64_t trained = 0;
  for (const Parameter& parameter : weights.trained()) {
    trained += parameter.value.elements();
  }
  return {weight_arena.peak(), arena.peak(), trained, times.total().operations};
}

class Measuring {
 public:
  Measuring(const ModelConfig& config, Device& device, Ops& ops, std::span<const Tree> trees,
            const RunWay& way)
      : whole_(config),
        part_(measured_part(config)),
        device_(device),
        ops_(ops),
        way_(way),
        trees_(spread(trees, kMostTrees, part_.vocab_size)),
        options_{.max_positions = longest_sequence(pointers(trees_)), .recompute = way.recompute} {}

  RunSpeed run(double budget) {
    const auto start = Clock::now();
    make_weights();
    RunSpeed speed = measure(1, 1);
    // As many as the run computes at once, or as there is time for.
    const double one = std::max(1e-6, 2 * (speed.train + speed.score) * tokens_of(1));
    const auto affordable = static_cast<std::size_t>(std::min(1e6, budget / one));
    std::size_t most = static_cast<std::size_t>(std::max<std::int64_t>(1, way_.limits.micro_batch));
    most = std::min({most, affordable, trees_.size()});
    while (most > 1 && way_.limits.max_tokens > 0 && tokens_of(most) > max_tokens()) {
      --most;
    }
    if (most > 1) {
      speed = measure(most, 2);
    }
    speed.took = std::chrono::duration<double>(Clock::now() - start).count();
    return speed;
  }

 private:
  double max_tokens() const { return static_cast<double>(way_.limits.max_tokens); }
  double tokens_of(std::size_t trees) const {
    double tokens = 0;
    for (std::size_t i = 0; i < trees; ++i) {
      tokens += static_cast<double>(trees_[i].input_tokens());
    }
    return tokens;
  }

  void require_room(std::size_t bytes) const {
    if (bytes > device_.available_memory()) {
      user_error("measuring {} of {} layers needs {} of memory, and {} are free", part_.layers,
                 whole_.layers, readable_bytes(bytes), readable_bytes(device_.available_memory()));
    }
  }

  void make_weights() {
    const Counted counted =
        count(part_, way_, ops_, options_, make_pack(pointers({trees_.data(), 1})));
    require_room(counted.weights + counted.activations);
    weight_arena_.emplace(device_.make_arena(counted.weights));
    weights_.emplace(part_, way_.storage.weights, WeightUse::training, *weight_arena_,
                     optimizer_storage(way_));
    weights_->initialize_from(random_weights(part_), ops_);
    weights_->zero_moments(ops_);
    weights_->zero_gradients(ops_);
  }

  // One pack of the first trees; the best of so many times after one that warms up.
  RunSpeed measure(std::size_t trees, int times) {
    const Pack pack = make_pack(pointers({trees_.data(), trees}));
    const Counted counted = count(part_, way_, ops_, options_, pack);
    require_room(counted.activations);
    Arena arena = device_.make_arena(counted.activations);
    LanguageModel model(*weights_, ops_, arena, options_);
    std::vector<double> sums(static_cast<std::size_t>(pack.response_count()));
    train_on(model, pack);
    double train = 1e300;
    double score = 1e300;
    double optimizer = 1e300;
    for (int i = 0; i < times; ++i) {
      train = std::min(train, seconds_of(ops_, [&] { train_on(model, pack); }));
      score = std::min(score, seconds_of(ops_, [&] { model.score(pack, sums); }));
      optimizer =
          std::min(optimizer, seconds_of(ops_, [&] {
                     adamw_step(*weights_, ops_, {}, 1, 1e-6, gradient_norm(*weights_, ops_));
                   }));
    }
    const Counted whole = count(whole_, way_, ops_, options_, pack);
    const double layers = whole.operations / counted.operations / tokens_of(trees);
    const double elements = static_cast<double>(whole.elements) /
                            static_cast<double>(std::max<std::int64_t>(1, counted.elements));
    return {.train = train * layers,
            .score = score * layers,
            .optimizer = optimizer * elements,
            .trees = static_cast<std::int64_t>(trees),
            .layers = part_.layers};
  }

  const ModelConfig& whole_;
  ModelConfig part_;
  Device& device_;
  Ops& ops_;
  RunWay way_;
  std::vector<Tree> trees_;
  LanguageModelOptions options_;
  std::optional<Arena> weight_arena_;
  std::optional<Weights> weights_;
};

}  // namespace

ModelConfig measured_part(const ModelConfig& config) {
  ModelConfig part = config;
  part.vocab_size = std::min(config.vocab_size, kMostVocabulary);
  const std::int64_t layer =
      config.hidden_size * (2 * config.heads + 2 * config.key_heads) * config.head_size +
      3 * config.hidden_size * config.intermediate_size;
  part.layers = std::clamp<std::int64_t>(kMostElements / layer, 1, config.layers);
  part.pad_id.reset();
  return part;
}

RunSpeed measure_run_speed(const ModelConfig& config, Device& device, Ops& ops,
                           std::span<const Tree> trees, const RunWay& way, double budget) {
  LMPO_CHECK(!trees.empty());
  return Measuring(config, device, ops, trees, way).run(budget);
}

}  // namespace lmpo
