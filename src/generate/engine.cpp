#include "generate/engine.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <variant>

#include "base/error.h"
#include "base/threads.h"
#include "generate/context.h"
#include "generate/paged_decoder.h"
#include "generate/prefix_cache.h"
#include "generate/token_logps.h"
#include "ops/cpu/elements.h"

namespace lmpo {
namespace {

PagedDecoder::Size cache_size(const EngineSize& size) {
  const std::int64_t tokens = std::max(size.cache_tokens, size.max_length);
  return {.pages = (tokens + size.page_tokens - 1) / size.page_tokens,
          .page_tokens = size.page_tokens,
          .max_length = size.max_length};
}

}  // namespace

// A request on its way.
struct Engine::Running {
  RequestId id;
  EngineRequest request;
  Random random;
  std::vector<std::int32_t> tokens;  // of prompt and answer
  std::int64_t read = 0;             // of these, those whose keys and values are in the cache
  std::int64_t kind = 0;             // of the pages
  PrefixCache::Path path = {};
  std::optional<std::int64_t> reused = {};  // of the prompt, at its first reading
  std::vector<ScoredToken> prompt = {};     // scored so far
  bool told = false;                        // the first event has been given
  bool over = false;                        // the last has been given, or it was cancelled

  std::int64_t prompt_size() const { return std::ssize(request.prompt); }
  std::int64_t size() const { return std::ssize(tokens); }
  std::int64_t new_tokens() const { return size() - prompt_size(); }
  bool has_begun() const { return !path.empty(); }
  bool decodes() const { return has_begun() && read + 1 == size(); }
  // Some of the prompt's log-probabilities are still to be found.
  bool scores_prompt() const { return request.prompt_logps && !told; }

  EngineEvent not_finite() const;
  // Where only the prompt is scored.
  EngineEvent end_of_prompt() const;
};

EngineEvent Engine::Running::not_finite() const {
  return {.request = id,
          .end = RequestEnd::failed,
          .error = fmt::format(
              "the model's logits for token {} of the answer are not finite: its weights hold NaN "
              "or infinity, or overflow",
              new_tokens())};
}

EngineEvent Engine::Running::end_of_prompt() const {
  const bool finite = std::ranges::all_of(
      prompt, [](const ScoredToken& token) { return std::isfinite(token.logp); });
  return finite ? EngineEvent{.request = id, .end = RequestEnd::length} : not_finite();
}

struct Engine::Impl {
  // A row of logits, and whose it is.
  struct WantedRow {
    Running* of;
    std::int64_t predicts;  // the position of the token that the row predicts
  };

  Impl(Weights& weights, Ops& ops, Arena& arena, const EngineSize& engine_size)
      : size(engine_size),
        vocabulary(weights.config().vocab_size),
        decoder(weights, ops, arena, cache_size(size)),
        cache(decoder.size().pages, size.page_tokens, 2) {
    LMPO_CHECK(size.sequences > 0 && size.max_length > 0 && size.tokens_a_step > 0);
  }

  void admit();
  std::int64_t promised_pages() const;
  void schedule();
  // False where the sequence itself had to give up its pages.
  bool schedule(std::size_t index, std::int64_t count);
  bool begin(Running& running);
  void interrupt_last();
  void add_rows(Running& running, std::int64_t count);
  void take(std::int64_t first, std::span<const float> logits);
  EngineEvent next_token(Running& running, std::span<const float> logits);
  void add_event(Running& running, EngineEvent event);
  void remove_those_over();

  EngineSize size;
  std::int64_t vocabulary;
  PagedDecoder decoder;
  PrefixCache cache;
  std::deque<std::unique_ptr<Running>> waiting;
  std::vector<std::unique_ptr<Running>> running;  // those that began first come first
  RequestId next_id = 1;
  EngineStatistics statistics;

  // Of the step on its way.
  PagedBatch batch;
  std::vector<WantedRow> wanted;  // of the rows batch.wanted
  std::vector<EngineEvent> events;
};

// A prompt is admitted where there is room for all of it, so that sequences seldom interrupt one
// another; the first always is, since the cache holds the longest sequence.
void Engine::Impl::admit() {
  while (!waiting.empty() && std::ssize(running) < size.sequences) {
    const std::int64_t needed =
        decoder.size().pages_of(std::min(waiting.front()->size() + 1, decoder.size().max_length));
    if (!running.empty() && promised_pages() + needed > cache.available()) {
      return;
    }
    running.push_back(std::move(waiting.front()));
    waiting.pop_front();
  }
}

// That admitted prompts still need.
std::int64_t Engine::Impl::promised_pages() const {
  std::int64_t promised = 0;
  for (const auto& one : running) {
    promised += decoder.size().pages_of(one->size()) - std::ssize(one->path);
  }
  return promised;
}

// Each answer gets its next token; what room is left is for prompts. They are read one after another.
// One that begins as another does that is being read waits for it, so that what they have in common
// is computed once.
void Engine::Impl::schedule() {
  std::int64_t room = std::max(size.tokens_a_step, size.sequences);
  for (const auto& one : running) {
    const std::int64_t kind = decoder.kind(one->size());
    if (one->has_begun() && one->kind != kind) {  // its keys were turned by another table
      cache.release(one->path);
      one->read = 0;
    }
    one->kind = kind;
    room -= one->decodes() ? 1 : 0;
  }
  for (std::size_t i = 0; i < running.size(); ++i) {
    Running& one = *running[i];
    std::int64_t count = 1;
    if (!one.decodes()) {
      if (room == 0 || (!one.has_begun() && !begin(one))) {
        continue;
      }
      count = std::min(one.size() - one.read, room);
      room -= count;
    }
    if (!schedule(i, count)) {
      return;
    }
  }
}

bool Engine::Impl::schedule(std::size_t index, std::int64_t count) {
  Running& one = *running[index];
  const auto tokens =
      std::span(one.tokens)
          .subspan(static_cast<std::size_t>(one.read), static_cast<std::size_t>(count));
  while (!cache.append(one.path, one.read, tokens, one.kind)) {
    const bool is_last = index + 1 == running.size();
    LMPO_CHECK(running.size() > 1);
    interrupt_last();
    if (is_last) {
      return false;
    }
  }
  add_rows(one, count);
  return true;
}

// Takes what the cache remembers of the tokens, but for those whose logits are wanted: the last, or
// what of a prompt is still to be scored. False where it is better to wait for a step.
bool Engine::Impl::begin(Running& one) {
  const std::int64_t most = one.scores_prompt() ? std::ssize(one.prompt) : one.size() - 1;
  PrefixCache::Found found =
      cache.find(std::span(one.tokens).first(static_cast<std::size_t>(most)), one.kind,
                 [&](std::int32_t from, std::int32_t to) { decoder.copy_page(from, to); });
  if (found.later) {
    return false;
  }
  one.path = std::move(found.path);
  one.read = found.tokens;
  if (!one.reused) {
    one.reused = found.tokens;
    statistics.prompt_tokens += one.prompt_size();
    statistics.reused_tokens += found.tokens;
  }
  return true;
}

// Its pages may be dropped; what is left of them is found again when it is its turn.
void Engine::Impl::interrupt_last() {
  Running& last = *running.back();
  cache.release(last.path);
  last.read = 0;
  ++statistics.interruptions;
  waiting.push_front(std::move(running.back()));
  running.pop_back();
}

void Engine::Impl::add_rows(Running& one, std::int64_t count) {
  std::vector<std::int32_t> pages;
  for (const PrefixCache::Node* node : one.path) {
    pages.push_back(PrefixCache::page(*node));
  }
  const auto tokens =
      std::span(one.tokens)
          .subspan(static_cast<std::size_t>(one.read), static_cast<std::size_t>(count));
  const std::int64_t row = decoder.add(batch, tokens, one.read, pages, one.size());
  const std::int64_t end = one.read + count;
  const bool generates = one.request.max_new_tokens > 0;
  for (std::int64_t position = one.read + 1; position <= end; ++position) {
    const bool scored =
        one.scores_prompt() && position < one.prompt_size() && std::ssize(one.prompt) < position;
    if (scored || (position == one.size() && generates)) {
      batch.wanted.push_back(static_cast<std::int32_t>(row + position - 1 - one.read));
      wanted.push_back({&one, position});
    }
  }
  one.read = end;
}

void Engine::Impl::take(std::int64_t first, std::span<const float> logits) {
  const std::int64_t count = std::ssize(logits) / vocabulary;
  const auto rows = std::span(wanted).subspan(static_cast<std::size_t>(first));
  const auto logits_of = [&](std::size_t row) {
    const auto width = static_cast<std::size_t>(vocabulary);
    return logits.subspan(row * width, width);
  };
  // Of each row what it says: of the prompt's tokens, or of the next.
  std::vector<std::variant<ScoredToken, EngineEvent>> said(static_cast<std::size_t>(count));
  parallel_each(count, [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    Running& one = *rows[i].of;
    if (rows[i].predicts == one.size()) {
      said[i] = next_token(one, logits_of(i));
    } else {
      said[i] = score_token(logits_of(i), one.tokens[static_cast<std::size_t>(rows[i].predicts)],
                            std::max<std::int64_t>(0, one.request.top_logps));
    }
  });
  for (std::size_t i = 0; i < said.size(); ++i) {
    Running& one = *rows[i].of;
    if (auto* scored = std::get_if<ScoredToken>(&said[i])) {
      one.prompt.push_back(std::move(*scored));
      continue;
    }
    auto& event = std::get<EngineEvent>(said[i]);
    if (event.token) {
      one.tokens.push_back(event.token->token);
      ++statistics.new_tokens;
    }
    add_event(one, std::move(event));
  }
}

EngineEvent Engine::Impl::next_token(Running& one, std::span<const float> logits) {
  if (!cpu::all_finite(logits.data(), std::ssize(logits))) {
    return one.not_finite();
  }
  EngineEvent event{.request = one.id};
  const EngineRequest& request = one.request;
  const std::span<const std::int32_t> tokens = one.tokens;
  const auto prompt_size = static_cast<std::size_t>(one.prompt_size());
  const std::int32_t token = choose_token(
      logits, request.sampling,
      {.prompt = tokens.first(prompt_size), .answer = tokens.subspan(prompt_size)}, one.random);
  event.token = request.top_logps < 0
                    ? ScoredToken{.token = token, .logp = std::numeric_limits<double>::quiet_NaN()}
                    : score_token(logits, token, request.top_logps);
  if (std::ranges::find(request.stop_ids, token) != request.stop_ids.end()) {
    event.end = RequestEnd::stop;
  } else if (one.new_tokens() + 1 == request.max_new_tokens) {
    event.end = RequestEnd::length;
  } else if (one.size() == size.max_length) {  // the token cannot be read any more
    event.end = RequestEnd::context;
  }
  return event;
}

void Engine::Impl::add_event(Running& one, EngineEvent event) {
  if (!one.told) {
    one.told = true;
    event.reused_tokens = one.reused;
    event.prompt = std::move(one.prompt);
  }
  one.over = event.end.has_value();
  events.push_back(std::move(event));
}

void Engine::Impl::remove_those_over() {
  for (const auto& one : running) {
    if (one->over) {
      cache.release(one->path);
    }
  }
  std::erase_if(running, [](const auto& one) { return one->over; });
}

Engine::Engine(Weights& weights, Ops& ops, Arena& arena, const EngineSize& size)
    : impl_(std::make_unique<Impl>(weights, ops, arena, size)) {}

Engine::~Engine() = default;

void Engine::count(Weights& weights, Ops& plan_ops, Arena& counting, const EngineSize& size) {
  const Arena::Scope scope(counting);
  PagedDecoder decoder(weights, plan_ops, counting, cache_size(size));
  // The largest step: as many tokens as may be, of all sequences.
  PagedBatch batch;
  const std::vector<std::int32_t> pages(
      static_cast<std::size_t>(decoder.size().pages_of(size.max_length)), 0);
  std::int64_t left = std::max(size.tokens_a_step, size.sequences);
  for (std::int64_t others = size.sequences - 1; others >= 0; --others) {
    const std::vector<std::int32_t> tokens(
        static_cast<std::size_t>(std::min(size.max_length, left - others)), 0);
    const std::int64_t length = std::ssize(tokens);
    left -= length;
    const auto used = static_cast<std::size_t>(decoder.size().pages_of(length));
    const std::int64_t row = decoder.add(batch, tokens, 0, std::span(pages).first(used), length);
    batch.wanted.push_back(static_cast<std::int32_t>(row + length - 1));
  }
  decoder.run(batch, size.sequences, [](std::int64_t, std::span<const float>) {});
}

std::size_t Engine::planned_bytes(Weights& weights, const Ops& ops, const EngineSize& size) {
  Arena counting = Arena::counting();
  count(weights, *make_plan_ops(ops), counting, size);
  return counting.peak();
}

RequestId Engine::submit(EngineRequest request) {
  check_prompt("the request", request.prompt, impl_->vocabulary, impl_->size.max_length);
  LMPO_CHECK(request.max_new_tokens > 0 || (request.max_new_tokens == 0 && request.prompt_logps));
  const RequestId id = impl_->next_id++;
  const Random random(request.seed, request.stream);
  std::vector<std::int32_t> tokens = request.prompt;
  impl_->waiting.push_back(std::make_unique<Running>(Running{
      .id = id, .request = std::move(request), .random = random, .tokens = std::move(tokens)}));
  return id;
}

void Engine::cancel(RequestId request) {
  std::erase_if(impl_->waiting, [&](const auto& one) { return one->id == request; });
  for (const auto& one : impl_->running) {
    one->over = one->id == request;
  }
  impl_->remove_those_over();
}

std::vector<EngineEvent> Engine::step() {
  Impl& engine = *impl_;
  engine.admit();
  engine.batch = {};
  engine.wanted.clear();
  engine.schedule();
  if (!engine.batch.tokens.empty()) {
    ++engine.statistics.steps;
    engine.decoder.run(
        engine.batch, engine.size.sequences,
        [&](std::int64_t first, std::span<const float> logits) { engine.take(first, logits); });
  }
  for (const auto& one : engine.running) {
    engine.cache.mark_stored(one->path);
    if (one->request.max_new_tokens == 0 && one->read == one->prompt_size()) {
      engine.add_event(*one, one->end_of_prompt());
    }
  }
  engine.remove_those_over();
  return std::exchange(engine.events, {});
}

bool Engine::idle() const {
  return impl_->waiting.empty() && impl_->running.empty();
}

EngineStatistics Engine::statistics() const {
  EngineStatistics now = impl_->statistics;
  now.waiting = std::ssize(impl_->waiting);
  now.running = std::ssize(impl_->running);
  now.pages = impl_->cache.pages();
  now.pages_used = impl_->cache.used();
  return now;
}

}  // namespace lmpo
