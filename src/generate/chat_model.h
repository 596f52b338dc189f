// A model that answers token by token and remembers what it has read: as far as a prompt begins
// like the last one and its answer, keys and values are those of the cache and nothing is computed
// again.
//
// Memory is planned: the cache of one sequence, and the activations of a piece of a prompt. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/file.h"
#include "generate/sampling.h"
#include "ops/device.h"

namespace lmpo {

struct ModelConfig;

struct AnswerOptions {
  SamplingOptions sampling = {};
  std::int64_t max_new_tokens = 1024;  // at least 1
  std::uint64_t seed = 42;
  std::uint64_t turn = 0;  // answers of different turns draw different numbers
};

enum class AnswerEnd : std::uint8_t {
  stop,     // a stop token came
  length,   // max_new_tokens
  context,  // no room is left
};

// What an answer took.
struct AnswerStatistics {
  std::int64_t prompt_tokens = 0;
  std::int64_t reused_tokens = 0;  // of these, found in the cache
  std::int64_t new_tokens = 0;     // the stop token among them
  double prompt_seconds = 0;       // until the first token was there
  double seconds = 0;              // of the tokens after it

  double tokens_per_second() const;
};

class ChatModel {
 public:
  // `context`: tokens that a conversation may have, at most the model's max_position_embeddings; 0:
  // these, but no more than kUsualContext. `compute`: the type of the products' factors, none for
  // the device's usual one. Throws UserError.
  ChatModel(const fs::path& folder, std::shared_ptr<Device> device, std::int64_t context = 0,
            std::optional<Dtype> compute = std::nullopt);
  ~ChatModel();
  ChatModel(const ChatModel&) = delete;
  ChatModel& operator=(const ChatModel&) = delete;

  static constexpr std::int64_t kUsualContext = 8192;

  const ModelConfig& config() const;
  std::int64_t parameters() const;
  std::int64_t context() const;
  std::size_t planned_bytes() const;  // weights, cache and activations

  // Reads a prompt. `interrupted` is asked between its pieces; false where it said yes. UserError
  // where the prompt is empty, leaves no room in the context, or has unknown ids; what was
  // remembered stays then.
  bool start(std::span<const std::int32_t> prompt, const AnswerOptions& options,
             const std::function<bool()>& interrupted = {});
  // The answer's next token; nothing at its end, for which see end(). A stop token is not handed
  // out. UserError where logits are not finite.
  std::optional<std::int32_t> next();
  AnswerEnd end() const;
  const AnswerStatistics& statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
