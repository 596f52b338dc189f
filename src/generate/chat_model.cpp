#include "generate/chat_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "generate/decoder.h"
#include "model/loaded_model.h"

namespace lmpo {
namespace {

// Tokens of a prompt that go through the model at once: many enough for its products to be fast,
// few enough for their activations to be small.
constexpr std::int64_t kPiece = 512;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::int64_t settle_context(std::int64_t asked, const ModelConfig& config) {
  if (asked > config.max_positions) {
    user_error(
        "a context of {} tokens was asked for; the model was made for {} "
        "(max_position_embeddings)",
        asked, config.max_positions);
  }
  return asked > 0 ? asked : std::min(config.max_positions, ChatModel::kUsualContext);
}

// A prefill and an extension by whole pieces, and a single token, against an arena that counts.
std::size_t count_bytes(Weights& weights, const Ops& ops, std::int64_t context) {
  const std::unique_ptr<Ops> plan_ops = make_plan_ops(ops);
  Arena counting = Arena::counting();
  Decoder decoder(weights, *plan_ops, counting, 1, context);
  std::vector<float> logits(static_cast<std::size_t>(weights.config().vocab_size));
  const std::int64_t piece = std::min(kPiece, context);
  const std::vector<std::int32_t> tokens(static_cast<std::size_t>(decoder.most_at_once(piece)), 0);
  decoder.prefill(0, tokens, logits);
  decoder.truncate(0, 0);
  decoder.extend(0, std::span(tokens).first(static_cast<std::size_t>(piece)), logits);
  decoder.truncate(0, 0);
  decoder.step(std::vector<std::int32_t>{0}, logits);
  return counting.peak();
}

}  // namespace

double AnswerStatistics::tokens_per_second() const {
  return seconds > 0 ? static_cast<double>(new_tokens - 1) / seconds : 0;
}

struct ChatModel::Impl {
  Impl(const fs::path& folder, std::shared_ptr<Device> device, std::int64_t asked,
       std::optional<Dtype> compute)
      : model(folder, std::move(device), {.compute = compute}),
        stop_ids(stop_tokens(folder, model.config)),
        context(settle_context(asked, model.config)),
        arena(model.device->make_arena(count_bytes(*model.weights, *model.ops, context))),
        decoder(*model.weights, *model.ops, arena, 1, context),
        logits(static_cast<std::size_t>(model.config.vocab_size)) {}

  void check(std::span<const std::int32_t> prompt) const;
  // Runs tokens [decoder's length, size) of the prompt; false where it was interrupted.
  bool read(std::span<const std::int32_t> prompt, const std::function<bool()>& interrupted);

  LoadedModel model;
  std::vector<std::int32_t> stop_ids;
  std::int64_t context;
  Arena arena;
  Decoder decoder;
  std::vector<float> logits;         // after the last token of the cache
  std::vector<std::int32_t> cached;  // the tokens of the cache
  AnswerOptions options;
  Random random{0, 0};
  std::optional<std::int32_t> waiting;  // drawn, but not read by the model yet
  AnswerEnd end = AnswerEnd::stop;
  AnswerStatistics statistics;
  Clock::time_point first_token;
};

void ChatModel::Impl::check(std::span<const std::int32_t> prompt) const {
  if (prompt.empty()) {
    user_error("the conversation is empty: at least one token is needed to go on from");
  }
  if (std::ssize(prompt) >= context) {
    user_error("the conversation has {} tokens, and the context of {} leaves no room for an answer",
               prompt.size(), context);
  }
  for (const std::int32_t token : prompt) {
    if (token < 0 || token >= model.config.vocab_size) {
      user_error("the conversation has token {}, and the model's vocabulary ends at {}", token,
                 model.config.vocab_size - 1);
    }
  }
}

bool ChatModel::Impl::read(std::span<const std::int32_t> prompt,
                           const std::function<bool()>& interrupted) {
  for (std::size_t begin = cached.size(); begin < prompt.size();) {
    if (interrupted && interrupted()) {
      return false;
    }
    const auto piece =
        prompt.subspan(begin, std::min<std::size_t>(prompt.size() - begin, std::size_t{kPiece}));
    if (begin == 0) {
      decoder.prefill(0, piece, logits);
    } else {
      decoder.extend(0, piece, logits);
    }
    cached.insert(cached.end(), piece.begin(), piece.end());
    begin += piece.size();
  }
  return true;
}

ChatModel::ChatModel(const fs::path& folder, std::shared_ptr<Device> device, std::int64_t context,
                     std::optional<Dtype> compute)
    : impl_(std::make_unique<Impl>(folder, std::move(device), context, compute)) {}

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

std::size_t ChatModel::planned_bytes() const {
  return impl_->model.weight_arena->capacity() + impl_->arena.capacity();
}

bool ChatModel::start(std::span<const std::int32_t> prompt, const AnswerOptions& options,
                      const std::function<bool()>& interrupted) {
  Impl& chat = *impl_;
  chat.check(prompt);
  const Clock::time_point begin = Clock::now();
  const auto [differs, unused] = std::ranges::mismatch(chat.cached, prompt);
  // The last token is always read anew, because the logits after it are wanted.
  const auto same = std::min<std::int64_t>(differs - chat.cached.begin(), std::ssize(prompt) - 1);
  chat.cached.resize(static_cast<std::size_t>(same));
  chat.decoder.truncate(0, same);
  chat.options = options;
  chat.random = Random(options.seed, options.turn);
  chat.waiting.reset();
  chat.end = AnswerEnd::stop;
  chat.statistics = {.prompt_tokens = std::ssize(prompt), .reused_tokens = same};
  const bool whole = chat.read(prompt, interrupted);
  chat.statistics.prompt_seconds = seconds_since(begin);
  chat.first_token = Clock::now();
  return whole;
}

std::optional<std::int32_t> ChatModel::next() {
  Impl& chat = *impl_;
  AnswerStatistics& statistics = chat.statistics;
  if (chat.waiting) {
    if (statistics.new_tokens == chat.options.max_new_tokens) {
      chat.end = AnswerEnd::length;
      return std::nullopt;
    }
    if (std::ssize(chat.cached) == chat.context) {
      chat.end = AnswerEnd::context;
      return std::nullopt;
    }
    chat.decoder.step(std::vector<std::int32_t>{*chat.waiting}, chat.logits);
    chat.cached.push_back(*chat.waiting);
  }
  if (!std::ranges::all_of(chat.logits, [](float logit) { return std::isfinite(logit); })) {
    user_error("the model's logits are not finite: its weights hold NaN or infinity, or overflow");
  }
  const std::int32_t token = sample_token(chat.logits, chat.options.sampling, chat.random);
  ++statistics.new_tokens;
  statistics.seconds = seconds_since(chat.first_token);
  if (std::ranges::find(chat.stop_ids, token) != chat.stop_ids.end()) {
    chat.waiting.reset();
    chat.end = AnswerEnd::stop;
    return std::nullopt;
  }
  chat.waiting = token;
  return token;
}

AnswerEnd ChatModel::end() const {
  return impl_->end;
}

const AnswerStatistics& ChatModel::statistics() const {
  return impl_->statistics;
}

}  // namespace lmpo
