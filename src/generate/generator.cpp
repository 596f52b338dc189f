#include "generate/generator.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "generate/decoder.h"

namespace lmpo {
namespace {

// One sequence on its way, in the slot of its index.
struct Running {
  Completion completion;
  Random random;
  std::int32_t next = 0;  // the token to feed next
};

std::int64_t longest(const std::vector<std::vector<std::int32_t>>& prompts) {
  std::size_t length = 0;
  for (const auto& prompt : prompts) {
    length = std::max(length, prompt.size());
  }
  return static_cast<std::int64_t>(length);
}

// The slots of a decoder and what runs in them.
class Batch {
 public:
  Batch(Decoder& decoder, std::int64_t vocabulary, const GenerationOptions& options,
        const std::function<void(const Completion&)>& done)
      : decoder_(decoder),
        vocabulary_(static_cast<std::size_t>(vocabulary)),
        options_(options),
        done_(done),
        running_(static_cast<std::size_t>(decoder.slots())),
        logits_(running_.size() * vocabulary_) {}

  void run(const std::vector<std::vector<std::int32_t>>& prompts) {
    std::size_t next_prompt = 0;
    for (;;) {
      bool any = false;
      for (std::size_t slot = 0; slot < running_.size(); ++slot) {
        while (!running_[slot] && next_prompt < prompts.size()) {
          start(slot, next_prompt, prompts[next_prompt]);
          ++next_prompt;
        }
        any = any || running_[slot].has_value();
      }
      if (!any) {
        return;
      }
      step();
    }
  }

 private:
  void start(std::size_t slot, std::size_t index, const std::vector<std::int32_t>& prompt) {
    running_[slot] =
        Running{{static_cast<std::int64_t>(index), {}, false}, {options_.seed, index}, 0};
    const std::span<float> logits(logits_.data(), vocabulary_);
    decoder_.prefill(static_cast<std::int64_t>(slot), prompt, logits);
    take(slot, logits);
  }

  void step() {
    std::vector<std::int32_t> tokens(running_.size(), 0);
    for (std::size_t slot = 0; slot < running_.size(); ++slot) {
      tokens[slot] = running_[slot] ? running_[slot]->next : 0;
    }
    decoder_.step(tokens, logits_);
    for (std::size_t slot = 0; slot < running_.size(); ++slot) {
      if (running_[slot]) {
        take(slot, {logits_.data() + slot * vocabulary_, vocabulary_});
      }
    }
  }

  // Draws the slot's next token and ends the sequence where it ends.
  void take(std::size_t slot, std::span<const float> logits) {
    Running& running = *running_[slot];
    running.next = sample_token(logits, options_.sampling, running.random);
    running.completion.tokens.push_back(running.next);
    running.completion.stopped = std::find(options_.stop_ids.begin(), options_.stop_ids.end(),
                                           running.next) != options_.stop_ids.end();
    const auto length = static_cast<std::int64_t>(running.completion.tokens.size());
    if (running.completion.stopped || length >= options_.max_new_tokens) {
      done_(running.completion);
      running_[slot].reset();
      decoder_.release(static_cast<std::int64_t>(slot));
    }
  }

  Decoder& decoder_;
  std::size_t vocabulary_;
  const GenerationOptions& options_;
  const std::function<void(const Completion&)>& done_;
  std::vector<std::optional<Running>> running_;
  std::vector<float> logits_;  // [B, V]
};

}  // namespace

struct Generator::Impl {
  ModelConfig config;
  std::unique_ptr<Ops> ops = make_cpu_ops();
  std::optional<Arena> weight_arena;
  std::optional<Weights> weights;
};

Generator::Generator(const fs::path& model_folder) : impl_(std::make_unique<Impl>()) {
  impl_->config = read_model_config(model_folder);
  const Dtype storage = impl_->ops->compute_dtype();
  Arena counting = Arena::counting();
  Weights(impl_->config, storage, WeightUse::inference, counting);
  impl_->weight_arena.emplace(Arena::host(counting.peak()));
  impl_->weights.emplace(impl_->config, storage, WeightUse::inference, *impl_->weight_arena);
  impl_->weights->load(Checkpoint::open(model_folder), *impl_->ops);
}

Generator::~Generator() = default;

const ModelConfig& Generator::config() const {
  return impl_->config;
}

void Generator::generate(const std::vector<std::vector<std::int32_t>>& prompts,
                         const GenerationOptions& options,
                         const std::function<void(const Completion&)>& done) {
  if (prompts.empty() || options.max_new_tokens <= 0) {
    return;
  }
  const std::int64_t slots =
      std::clamp<std::int64_t>(options.batch_size, 1, static_cast<std::int64_t>(prompts.size()));
  const std::int64_t prompt_length = longest(prompts);
  const std::int64_t length = prompt_length + options.max_new_tokens;
  const std::int64_t vocabulary = impl_->config.vocab_size;

  // The plan: the longest prefill and one step.
  const std::unique_ptr<Ops> plan_ops = make_plan_ops(*impl_->ops);
  Arena counting = Arena::counting();
  {
    Decoder decoder(*impl_->weights, *plan_ops, counting, slots, length);
    std::vector<float> logits(static_cast<std::size_t>(slots * vocabulary));
    const std::vector<std::int32_t> prompt(static_cast<std::size_t>(prompt_length), 0);
    decoder.prefill(0, prompt, {logits.data(), static_cast<std::size_t>(vocabulary)});
    decoder.step(std::vector<std::int32_t>(static_cast<std::size_t>(slots), 0), logits);
  }
  Arena arena = Arena::host(counting.peak());
  Decoder decoder(*impl_->weights, *impl_->ops, arena, slots, length);
  Batch(decoder, vocabulary, options, done).run(prompts);
}

}  // namespace lmpo
