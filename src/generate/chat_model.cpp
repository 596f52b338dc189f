#include "generate/chat_model.h"

#include <algorithm>
#include <utility>

#include "base/elapsed.h"
#include "base/error.h"
#include "generate/context.h"
#include "generate/engine.h"
#include "model/loaded_model.h"

namespace lmpo {
namespace {

// Tokens of a prompt that go through the model at once: many enough for its products to be fast,
// few enough for their activations to be small.
constexpr std::int64_t kPiece = 512;

EngineSize size_for(std::int64_t context) {
  // Room for what is left of earlier turns too.
  return {.sequences = 1,
          .max_length = context,
          .cache_tokens = Engine::whole_pages(context) + kPageTokens,
          .tokens_a_step = std::min(kPiece, context)};
}

}  // namespace

double AnswerStatistics::tokens_per_second() const {
  return seconds > 0 ? static_cast<double>(new_tokens - 1) / seconds : 0;
}

struct ChatModel::Impl {
  Impl(const fs::path& folder, std::shared_ptr<Device> device, std::int64_t asked,
       const LoadedModelOptions& options)
      : model(folder, std::move(device), options),
        stop_ids(stop_tokens(folder, model.config)),
        context(settle_context(asked, model.config.max_positions)),
        arena(model.device->make_arena(
            Engine::planned_bytes(*model.weights, *model.ops, size_for(context)))),
        engine(*model.weights, *model.ops, arena, size_for(context)) {}

  // Runs the engine until the next token or the end of the answer.
  void step();

  LoadedModel model;
  std::vector<std::int32_t> stop_ids;
  std::int64_t context;
  Arena arena;
  Engine engine;
  std::optional<RequestId> request;     // of the answer on its way
  std::optional<std::int32_t> waiting;  // a token that next() has not given yet
  std::optional<RequestEnd> end;        // after it
  AnswerStatistics statistics;
  SteadyClock::time_point first_token;
};

void ChatModel::Impl::step() {
  for (const EngineEvent& event : engine.step()) {
    if (event.end == RequestEnd::failed) {
      request.reset();
      user_error("{}", event.error);
    }
    statistics.reused_tokens += event.reused_tokens.value_or(0);
    waiting = event.token->token;
    end = event.end;
    ++statistics.new_tokens;
  }
}

ChatModel::ChatModel(const fs::path& folder, std::shared_ptr<Device> device, std::int64_t context,
                     const LoadedModelOptions& options)
    : impl_(std::make_unique<Impl>(folder, std::move(device), context, options)) {}

ChatModel::~ChatModel() = default;

const ModelConfig& ChatModel::config() const {
  return impl_->model.config;
}

std::int64_t ChatModel::parameters() const {
  return impl_->model.weights->count();
}

std::int64_t ChatModel::context() const {
  return impl_->context;
}

Dtype ChatModel::storage() const {
  return impl_->model.weights->storage();
}

std::size_t ChatModel::planned_bytes() const {
  return impl_->model.weight_arena->capacity() + impl_->arena.capacity();
}

bool ChatModel::start(std::span<const std::int32_t> prompt, const AnswerOptions& options,
                      const std::function<bool()>& interrupted) {
  Impl& chat = *impl_;
  check_prompt("the conversation", prompt, chat.model.config.vocab_size, chat.context - 1);
  const SteadyClock::time_point begin = SteadyClock::now();
  if (chat.request) {
    chat.engine.cancel(*chat.request);
  }
  chat.request = chat.engine.submit({.prompt = {prompt.begin(), prompt.end()},
                                     .sampling = options.sampling,
                                     .max_new_tokens = options.max_new_tokens,
                                     .seed = options.seed,
                                     .stream = options.turn,
                                     .stop_ids = chat.stop_ids});
  chat.waiting.reset();
  chat.end.reset();
  chat.statistics = {.prompt_tokens = std::ssize(prompt)};
  while (!chat.waiting) {
    if (interrupted && interrupted()) {
      return false;
    }
    chat.step();
  }
  chat.first_token = SteadyClock::now();
  chat.statistics.prompt_seconds = seconds_between(begin, chat.first_token);
  return true;
}

std::optional<std::int32_t> ChatModel::next() {
  Impl& chat = *impl_;
  if (!chat.waiting && !chat.end) {
    chat.step();
    chat.statistics.seconds = seconds_since(chat.first_token);
  }
  if (chat.end == RequestEnd::stop) {  // a stop token is not shown
    chat.waiting.reset();
  }
  return std::exchange(chat.waiting, std::nullopt);
}

std::optional<RequestEnd> ChatModel::end() const {
  return impl_->end;
}

const AnswerStatistics& ChatModel::statistics() const {
  return impl_->statistics;
}

}  // namespace lmpo
