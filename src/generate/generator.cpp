#include "generate/generator.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "generate/answer_text.h"
#include "generate/context.h"
#include "model/loaded_model.h"

namespace lmpo {
namespace {

// At most this many tokens of prompts are read in one step: enough for products to be fast, few
// enough for their activations to be small.
constexpr std::int64_t kTokensAStep = 512;

// New tokens that a prompt may get.
std::int64_t answer_limit(std::int64_t prompt_length, const GenerationOptions& options,
                          const ModelConfig& config) {
  return std::min(options.max_new_tokens, config.max_positions - prompt_length);
}

std::string name_of_prompt(std::int64_t index) {
  return fmt::format("prompt {} (counted from 0)", index);
}

// Hands requests to an engine and puts its events together.
class Answering {
 public:
  Answering(Engine& engine, const ModelConfig& config, const GenerationOptions& options,
            const TakeCompletion& done)
      : engine_(engine), config_(config), options_(options), done_(done) {}

  void run(const PromptTokens& prompts) {
    const auto answers = std::ssize(prompts) * options_.samples;
    // Answers, those to a prompt one after another.
    std::int64_t next = options_.first_prompt * options_.samples;
    while (!is_interrupted()) {
      // No more than can run: there may be millions.
      for (; next < answers && std::ssize(on_the_way_) < options_.batch_size; ++next) {
        submit(next / options_.samples, next % options_.samples,
               prompts[static_cast<std::size_t>(next / options_.samples)]);
      }
      if (on_the_way_.empty()) {
        return;
      }
      for (const EngineEvent& event : engine_.step()) {
        take(event);
      }
    }
  }

 private:
  bool is_interrupted() const { return options_.interrupted && options_.interrupted(); }

  void submit(std::int64_t index, std::int64_t sample, const std::vector<std::int32_t>& prompt) {
    const RequestId id = engine_.submit(
        {.prompt = prompt,
         .sampling = options_.sampling_of(sample),
         .max_new_tokens = answer_limit(std::ssize(prompt), options_, config_),
         .seed = options_.seed,
         .stream = static_cast<std::uint64_t>(index) | static_cast<std::uint64_t>(sample) << 40,
         .stop_ids = options_.stop_ids});
    Answer& answer = on_the_way_[id];
    answer.completion.prompt = index;
    answer.completion.sample = sample;
    if (!options_.stop_strings.empty()) {
      answer.text.emplace(*options_.tokenizer, options_.stop_strings);
      answer.completion.text = "";
    }
  }

  void take(const EngineEvent& event) {
    const auto found = on_the_way_.find(event.request);
    Completion& completion = found->second.completion;
    std::optional<AnswerText>& text = found->second.text;
    if (event.end == RequestEnd::failed) {
      user_error("{}: {}", name_of_prompt(completion.prompt), event.error);
    }
    completion.tokens.push_back(event.token->token);
    completion.stopped = event.end == RequestEnd::stop;
    if (text) {
      *completion.text += text->add(event.token->token);
      *completion.text += event.end ? text->finish() : "";
      completion.stopped = completion.stopped || text->stopped();
    }
    if (event.end || completion.stopped) {
      engine_.cancel(event.request);
      done_(completion);
      on_the_way_.erase(found);
    }
  }

  // One on its way.
  struct Answer {
    Completion completion;
    std::optional<AnswerText> text;  // where there are stop strings
  };

  Engine& engine_;
  const ModelConfig& config_;
  const GenerationOptions& options_;
  const TakeCompletion& done_;
  std::map<RequestId, Answer> on_the_way_;
};

}  // namespace

SamplingOptions GenerationOptions::sampling_of(std::int64_t sample) const {
  SamplingOptions result = sampling;
  if (!temperatures.empty()) {
    result.temperature = temperatures[static_cast<std::size_t>(sample) % temperatures.size()];
  }
  return result;
}

EngineSize generation_size(const PromptTokens& prompts, const GenerationOptions& options,
                           const ModelConfig& config) {
  if (options.max_new_tokens < 1) {
    user_error("max_new_tokens is {}, and must be at least 1", options.max_new_tokens);
  }
  if (options.samples < 1) {
    user_error("samples is {}, and must be at least 1", options.samples);
  }
  EngineSize size{.sequences = 0};
  if (prompts.empty()) {
    return size;
  }
  size.sequences =
      std::clamp<std::int64_t>(options.batch_size, 1, std::ssize(prompts) * options.samples);
  std::int64_t longest_prompt = 0;
  for (std::size_t index = 0; index < prompts.size(); ++index) {
    check_prompt(name_of_prompt(static_cast<std::int64_t>(index)), prompts[index],
                 config.vocab_size, config.max_positions - 1);
    const auto length = std::ssize(prompts[index]);
    longest_prompt = std::max(longest_prompt, length);
    // An answer's last token is never an input.
    size.max_length = std::max(size.max_length, length + answer_limit(length, options, config) - 1);
  }
  // One page more: of the prompt that the next answer begins with.
  size.cache_tokens = size.sequences * Engine::whole_pages(size.max_length) + kPageTokens;
  size.tokens_a_step = std::min(kTokensAStep, size.sequences * longest_prompt);
  return size;
}

void count_generation(const EngineSize& size, Weights& weights, Ops& plan_ops, Arena& counting) {
  if (size.sequences > 0) {
    Engine::count(weights, plan_ops, counting, size);
  }
}

void generate_with(Weights& weights, Ops& ops, Arena& arena, const PromptTokens& prompts,
                   const GenerationOptions& options, const TakeCompletion& done) {
  const EngineSize size = generation_size(prompts, options, weights.config());
  if (size.sequences == 0) {
    return;
  }
  const Arena::Scope scope(arena);
  Engine engine(weights, ops, arena, size);
  Answering(engine, weights.config(), options, done).run(prompts);
}

struct Generator::Impl : LoadedModel {
  using LoadedModel::LoadedModel;
};

Generator::Generator(const fs::path& model_folder, std::shared_ptr<Device> device,
                     const LoadedModelOptions& options)
    : impl_(std::make_unique<Impl>(model_folder, std::move(device), options)) {}

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
