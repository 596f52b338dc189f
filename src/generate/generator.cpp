#include "generate/generator.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "generate/decoder.h"
#include "model/loaded_model.h"

namespace lmpo {
namespace {

// One sequence on its way, in the slot of its index.
struct Running {
  Completion completion;
  Random random;
  std::int64_t limit;     // tokens, if no stop token comes first
  std::int32_t next = 0;  // the token to feed next
};

// New tokens that a prompt may get.
std::int64_t answer_limit(std::int64_t prompt_length, const GenerationOptions& options,
                          const ModelConfig& config) {
  return std::min(options.max_new_tokens, config.max_positions - prompt_length);
}

void check_prompt(std::size_t index, std::span<const std::int32_t> prompt,
                  const ModelConfig& config) {
  if (prompt.empty()) {
    user_error("prompt {} (counted from 0) is empty: at least one token is needed to start from",
               index);
  }
  if (static_cast<std::int64_t>(prompt.size()) >= config.max_positions) {
    user_error(
        "prompt {} (counted from 0) has {} tokens, and the model's context of {} "
        "(max_position_embeddings) leaves no room for an answer: shorten the prompt",
        index, prompt.size(), config.max_positions);
  }
  for (const std::int32_t token : prompt) {
    if (token < 0 || token >= config.vocab_size) {
      user_error("prompt {} (counted from 0) has token {}, and the model's vocabulary ends at {}",
                 index, token, config.vocab_size - 1);
    }
  }
}

void check_finite(std::span<const float> logits, const Running& running) {
  if (!std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit); })) {
    user_error(
        "the model's logits for token {} of the answer to prompt {} are not finite: its weights "
        "hold NaN or infinity, or overflow",
        running.completion.tokens.size(), running.completion.prompt);
  }
}

// The slots of a decoder and what runs in them.
class Batch {
 public:
  Batch(Decoder& decoder, const ModelConfig& config, const GenerationOptions& options,
        const TakeCompletion& done)
      : decoder_(decoder),
        config_(config),
        vocabulary_(static_cast<std::size_t>(config.vocab_size)),
        options_(options),
        done_(done),
        running_(static_cast<std::size_t>(decoder.slots())),
        prompts_(running_.size(), kNoPrompt),
        logits_(running_.size() * vocabulary_) {}

  void run(const PromptTokens& prompts) {
    const auto samples = static_cast<std::size_t>(options_.samples);
    // Answers, those to a prompt one after another.
    std::size_t next = static_cast<std::size_t>(options_.first_prompt) * samples;
    while (!is_interrupted()) {
      bool any = false;
      for (std::size_t slot = 0; slot < running_.size(); ++slot) {
        while (!running_[slot] && next < prompts.size() * samples) {
          start(slot, next / samples, next % samples, prompts[next / samples]);
          ++next;
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
  bool is_interrupted() const { return options_.interrupted && options_.interrupted(); }

  void start(std::size_t slot, std::size_t index, std::size_t sample,
             const std::vector<std::int32_t>& prompt) {
    const auto length = static_cast<std::int64_t>(prompt.size());
    const auto to = static_cast<std::int64_t>(slot);
    const auto same = std::ranges::find(prompts_, static_cast<std::int64_t>(index));
    if (prompts_[slot] == static_cast<std::int64_t>(index)) {
      decoder_.truncate(to, length);
    } else if (same != prompts_.end()) {
      decoder_.fork(same - prompts_.begin(), to, length);
    } else {
      after_prompt_.resize(vocabulary_);
      decoder_.prefill(to, prompt, after_prompt_);
    }
    prompts_[slot] = static_cast<std::int64_t>(index);
    running_[slot] = Running{.completion = {.prompt = static_cast<std::int64_t>(index),
                                            .sample = static_cast<std::int64_t>(sample),
                                            .tokens = {},
                                            .stopped = false},
                             .random = {options_.seed, index | sample << 40},
                             .limit = answer_limit(length, options_, config_)};
    take(slot, after_prompt_);
  }

  void step() {
    std::vector<std::int32_t> tokens(running_.size(), 0);
    for (std::size_t slot = 0; slot < running_.size(); ++slot) {
      if (running_[slot]) {
        tokens[slot] = running_[slot]->next;
      } else {  // no answer is left for it
        prompts_[slot] = kNoPrompt;
        decoder_.release(static_cast<std::int64_t>(slot));
      }
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
    check_finite(logits, running);
    running.next =
        sample_token(logits, options_.sampling_of(running.completion.sample), running.random);
    running.completion.tokens.push_back(running.next);
    running.completion.stopped =
        std::ranges::find(options_.stop_ids, running.next) != options_.stop_ids.end();
    const auto length = static_cast<std::int64_t>(running.completion.tokens.size());
    if (running.completion.stopped || length == running.limit) {
      done_(running.completion);
      running_[slot].reset();
    }
  }

  static constexpr std::int64_t kNoPrompt = -1;

  Decoder& decoder_;
  const ModelConfig& config_;
  std::size_t vocabulary_;
  const GenerationOptions& options_;
  const TakeCompletion& done_;
  std::vector<std::optional<Running>> running_;
  // Of each slot the prompt that its cache begins with, also after its answer has ended. Answers
  // come prompt by prompt, so of those that were computed only the last is asked for again.
  std::vector<std::int64_t> prompts_;
  std::vector<float> logits_;        // [B, V]
  std::vector<float> after_prompt_;  // [V], of the last prompt that was computed
};

}  // namespace

SamplingOptions GenerationOptions::sampling_of(std::int64_t sample) const {
  SamplingOptions result = sampling;
  if (!temperatures.empty()) {
    result.temperature = temperatures[static_cast<std::size_t>(sample) % temperatures.size()];
  }
  return result;
}

GenerationSize generation_size(const PromptTokens& prompts, const GenerationOptions& options,
                               const ModelConfig& config) {
  if (options.max_new_tokens < 1) {
    user_error("max_new_tokens is {}, and must be at least 1", options.max_new_tokens);
  }
  if (options.samples < 1) {
    user_error("samples is {}, and must be at least 1", options.samples);
  }
  GenerationSize size;
  if (prompts.empty()) {
    return size;
  }
  size.slots = std::clamp<std::int64_t>(
      options.batch_size, 1, static_cast<std::int64_t>(prompts.size()) * options.samples);
  for (std::size_t index = 0; index < prompts.size(); ++index) {
    check_prompt(index, prompts[index], config);
    const auto length = static_cast<std::int64_t>(prompts[index].size());
    size.longest_prompt = std::max(size.longest_prompt, length);
    // An answer's last token is never an input.
    size.max_length = std::max(size.max_length, length + answer_limit(length, options, config) - 1);
  }
  return size;
}

void count_generation(const GenerationSize& size, Weights& weights, Ops& plan_ops,
                      Arena& counting) {
  if (size.slots == 0) {
    return;
  }
  const Arena::Scope scope(counting);
  Decoder decoder(weights, plan_ops, counting, size.slots, size.max_length);
  const auto slots = static_cast<std::size_t>(size.slots);
  const auto vocabulary = static_cast<std::size_t>(weights.config().vocab_size);
  std::vector<float> logits(slots * vocabulary);
  const std::vector<std::int32_t> prompt(
      static_cast<std::size_t>(decoder.most_at_once(size.longest_prompt)), 0);
  decoder.prefill(0, prompt, {logits.data(), vocabulary});
  decoder.step(std::vector<std::int32_t>(slots, 0), logits);
}

void generate_with(Weights& weights, Ops& ops, Arena& arena, const PromptTokens& prompts,
                   const GenerationOptions& options, const TakeCompletion& done) {
  const GenerationSize size = generation_size(prompts, options, weights.config());
  if (size.slots == 0) {
    return;
  }
  const Arena::Scope scope(arena);
  Decoder decoder(weights, ops, arena, size.slots, size.max_length);
  Batch(decoder, weights.config(), options, done).run(prompts);
}

struct Generator::Impl : LoadedModel {
  using LoadedModel::LoadedModel;
};

Generator::Generator(const fs::path& model_folder, std::shared_ptr<Device> device,
                     std::optional<Dtype> compute)
    : impl_(std::make_unique<Impl>(model_folder, std::move(device),
                                   LoadedModelOptions{.compute = compute})) {}

Generator::~Generator() = default;

const ModelConfig& Generator::config() const {
  return impl_->config;
}

std::size_t Generator::planned_bytes(const PromptTokens& prompts,
                                     const GenerationOptions& options) const {
  Arena counting = Arena::counting();
  count_generation(generation_size(prompts, options, impl_->config), *impl_->weights,
                   *make_plan_ops(*impl_->ops), counting);
  return counting.peak();
}

void Generator::generate(const PromptTokens& prompts, const GenerationOptions& options,
                         const TakeCompletion& done) {
  Arena arena = impl_->device->make_arena(planned_bytes(prompts, options));
  generate_with(*impl_->weights, *impl_->ops, arena, prompts, options, done);
}

}  // namespace lmpo
