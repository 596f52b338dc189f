// A model that answers token by token and keeps its key-value cache: tokens that a prompt shares with
// the start of an earlier prompt and answer are not computed again, as long as the cache holds them.
//
// Memory is planned: the cache of one sequence and the activations of a piece of a prompt. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/file.h"
#include "generate/engine.h"
#include "model/loaded_model.h"

namespace lmpo {

struct AnswerOptions {
  SamplingOptions sampling = {};
  std::int64_t max_new_tokens = 1024;  // at least 1
  std::uint64_t seed = 42;
  std::uint64_t turn = 0;  // different turns use different random numbers
};

// Counts and times of an answer.
struct AnswerStatistics {
  std::int64_t prompt_tokens = 0;
  std::int64_t reused_tokens = 0;  // prompt tokens taken from the cache
  std::int64_t new_tokens = 0;     // includes the stop token
  double prompt_seconds = 0;       // until the first token
  double seconds = 0;              // for the tokens after the first

  double tokens_per_second() const;
};

class ChatModel {
 public:
  // `context`: maximum tokens of a conversation, see settle_context. UserError for a model that cannot
  // be loaded or a context that is too long.
  ChatModel(const fs::path& folder, std::shared_ptr<Device> device, std::int64_t context = 0,
            const LoadedModelOptions& options = {});
  ~ChatModel();
  ChatModel(const ChatModel&) = delete;
  ChatModel& operator=(const ChatModel&) = delete;

  const ModelConfig& config() const;
  std::int64_t parameters() const;
  std::int64_t context() const;
  Dtype storage() const;              // of the weights
  std::size_t planned_bytes() const;  // weights, cache and activations

  // Reads a prompt. Calls `interrupted` between pieces of it and returns false if that returns true.
  // UserError if the prompt is empty, fills the context, or has unknown ids; the cache is kept.
  bool start(std::span<const std::int32_t> prompt, const AnswerOptions& options,
             const std::function<bool()>& interrupted = {});
  // The answer's next token, or nothing at its end. Stop tokens are not returned. UserError if logits
  // are not finite.
  std::optional<std::int32_t> next();
  // Why the answer ended; none while it goes on.
  std::optional<RequestEnd> end() const;
  const AnswerStatistics& statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
