// Answers to requests that come and go: they decode together and share what their prompts have in
// common.
//
// Each step runs the model once over the next token of every running sequence and over a piece of
// the prompts that are still to be read, so that a long prompt does not hold up the others. Keys and
// values lie in pages that sequences share by content (prefix_cache.h). Where pages run out, the
// sequence that began last waits, and is read again later.
//
// On a CPU the tokens of a request depend on nothing but the request: not on what runs beside it,
// nor on what is remembered, nor on the sizes of the engine. On a GPU logits agree to rounding. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generate/sampling.h"
#include "model/weights.h"
#include "ops/ops.h"
#include "tensor/arena.h"

namespace lmpo {

using RequestId = std::uint64_t;

struct EngineRequest {
  std::vector<std::int32_t> prompt;  // at least one token
  SamplingOptions sampling = {};
  // Fewer where the context is full. 0: nothing is generated, only with prompt_logps.
  std::int64_t max_new_tokens = 256;
  // The random numbers of a request depend on these two alone.
  std::uint64_t seed = 42;
  std::uint64_t stream = 0;
  std::vector<std::int32_t> stop_ids = {};  // generation ends after one of these
  // Each new token comes with its log-probability and this many of the likeliest tokens; -1: without.
  std::int64_t top_logps = -1;
  // So do the prompt's tokens, from the second on, with top_logps of the likeliest (none for -1).
  bool prompt_logps = false;
};

struct TokenLogp {
  std::int32_t token = 0;
  double logp = 0;  // of the model's own distribution: before temperature, penalties and biases
};

struct ScoredToken {
  std::int32_t token = 0;
  double logp = 0;                  // NaN where none was asked for
  std::vector<TokenLogp> top = {};  // the likeliest first; of equal ones, the smallest id
};

enum class RequestEnd : std::uint8_t {
  stop,     // a stop token
  length,   // max_new_tokens
  context,  // the context is full
  failed    // the logits are not finite
};

struct EngineEvent {
  RequestId request = 0;
  std::optional<ScoredToken> token = {};  // a new token, a stop token too
  // Once, with the first token or the end: how much of the prompt was remembered, and the log-
  // probabilities that prompt_logps asked for.
  std::optional<std::int64_t> reused_tokens = {};
  std::vector<ScoredToken> prompt = {};
  std::optional<RequestEnd> end = {};  // with a request's last event
  std::string error = {};              // of RequestEnd::failed
};

constexpr std::int64_t kPageTokens = 64;

// What memory is planned for.
struct EngineSize {
  std::int64_t sequences = 0;  // that run together
  // Most tokens of a sequence that are read. An answer's last token is not.
  std::int64_t max_length = 0;
  // Of all sequences and of what is remembered; at least max_length.
  std::int64_t cache_tokens = 0;
  // Most tokens that a step reads, of answers and of prompts; at least `sequences` are allowed.
  std::int64_t tokens_a_step = 512;
  std::int64_t page_tokens = kPageTokens;
};

// Now, and since the start.
struct EngineStatistics {
  std::int64_t waiting = 0;  // requests
  std::int64_t running = 0;
  std::int64_t pages = 0;
  std::int64_t pages_used = 0;  // by running requests or what is remembered
  std::int64_t steps = 0;
  std::int64_t prompt_tokens = 0;  // of requests that have begun
  std::int64_t reused_tokens = 0;  // of these, found in the cache
  std::int64_t new_tokens = 0;
  std::int64_t interruptions = 0;  // sequences that had to wait for pages
};

class Engine {
 public:
  // The tokens of the pages that so many tokens fill.
  static constexpr std::int64_t whole_pages(std::int64_t tokens) {
    return (tokens + kPageTokens - 1) / kPageTokens * kPageTokens;
  }

  // Weights, ops and arena must outlive the engine. The weights must not change while it lives.
  Engine(Weights& weights, Ops& ops, Arena& arena, const EngineSize& size);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Bytes that an engine of this size allocates: the cache, and the largest step.
  static std::size_t planned_bytes(Weights& weights, const Ops& ops, const EngineSize& size);
  // Allocates the same in a counting arena and releases it. `plan_ops` come from make_plan_ops.
  static void count(Weights& weights, Ops& plan_ops, Arena& counting, const EngineSize& size);

  // UserError as check_prompt, where the prompt does not fit into max_length, and where the request
  // asks for what there is not: "the request ...".
  RequestId submit(EngineRequest request);
  // No event follows. Requests that have ended, or never were, are fine.
  void cancel(RequestId request);
  // One pass of the model; nothing where the engine is idle.
  std::vector<EngineEvent> step();
  bool idle() const;
  EngineStatistics statistics() const;

 private:
  struct Running;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lmpo
