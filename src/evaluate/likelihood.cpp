#include "evaluate/likelihood.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/threads.h"
#include "generate/engine.h"
#include "generate/paged_decoder.h"
#include "generate/prefix_cache.h"
#include "generate/token_logps.h"

namespace lmpo {
namespace {

// Large steps make large matrix products.
constexpr std::int64_t kTokensAStep = 1024;
// Of the longest sequence: what is read and what is remembered.
constexpr std::int64_t kCachedSequences = 6;

using Indices = std::vector<std::size_t>;

std::span<const std::int32_t> without_last(const Sequence& sequence) {
  return {sequence.tokens.data(), sequence.tokens.size() - 1};
}

// Sequences in the order of their tokens; those that are alike but for the last token together.
std::vector<Indices> groups_of(std::span<const Sequence* const> sequences) {
  Indices order(sequences.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto tokens = [&](std::size_t index) { return without_last(*sequences[index]); };
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return std::ranges::lexicographical_compare(tokens(a), tokens(b));
  });
  std::vector<Indices> groups;
  for (const std::size_t index : order) {
    if (groups.empty() || !std::ranges::equal(tokens(groups.back().front()), tokens(index))) {
      groups.emplace_back();
    }
    groups.back().push_back(index);
  }
  return groups;
}

// Sequences that are alike but for their last token, on their way through the model.
struct Reading {
  const Indices* indices;                      // of the sequences
  std::span<const std::int32_t> tokens;        // that are read: all but the last
  std::int64_t first_scored = 0;               // the first that one of them scores
  std::int64_t read = 0;                       // whose keys and values are in the cache
  std::optional<PrefixCache::Path> path = {};  // once it has begun
  std::vector<ScoredToken> scored = {};        // from first_scored on
  std::vector<ScoredToken> last = {};          // of each sequence

  std::int64_t size() const { return std::ssize(tokens); }
};

// How much is read and remembered at a time.
struct ReaderSize {
  std::int64_t at_once = 0;
  std::int64_t max_length = 0;

  PagedDecoder::Size cache() const {
    return {.pages = kCachedSequences * Engine::whole_pages(max_length) / kPageTokens,
            .page_tokens = kPageTokens,
            .max_length = max_length};
  }
};

class Reader {
 public:
  Reader(LoadedModel& model, Arena& arena, std::span<const Sequence* const> sequences,
         const ReaderSize& size, const TakeLikelihood& done)
      : vocabulary_(model.config.vocab_size),
        sequences_(sequences),
        size_(size),
        done_(done),
        decoder_(*model.weights, *model.ops, arena, size.cache(), RowSums::fast),
        cache_(size.cache().pages, kPageTokens, 2) {}

  // The memory of the largest step, against ops that compute nothing.
  static void count(LoadedModel& model, Ops& plan_ops, Arena& counting, const ReaderSize& size);

  LikelihoodStatistics run(const std::vector<Indices>& groups);

 private:
  struct WantedRow {
    Reading* of;
    std::int64_t predicts;  // the position of the token
  };

  Reading reading_of(const Indices& indices) const;
  void schedule();
  bool begin(Reading& one);
  void add_rows(Reading& one, std::int64_t count);
  void take(std::int64_t first, std::span<const float> logits);
  void finish(const Reading& one) const;

  std::int64_t vocabulary_;
  std::span<const Sequence* const> sequences_;
  ReaderSize size_;
  const TakeLikelihood& done_;
  PagedDecoder decoder_;
  PrefixCache cache_;
  std::deque<Reading> readings_ = {};
  LikelihoodStatistics statistics_ = {};

  // Of the step on its way.
  PagedBatch batch_ = {};
  std::vector<WantedRow> wanted_ = {};
};

void Reader::count(LoadedModel& model, Ops& plan_ops, Arena& counting, const ReaderSize& size) {
  PagedDecoder decoder(*model.weights, plan_ops, counting, size.cache(), RowSums::fast);
  const std::vector<std::int32_t> pages(
      static_cast<std::size_t>(decoder.size().pages_of(size.max_length)), 0);
  PagedBatch batch;
  for (std::int64_t left = std::max(kTokensAStep, size.at_once), others = size.at_once - 1;
       others >= 0; --others) {
    const std::vector<std::int32_t> tokens(
        static_cast<std::size_t>(std::min(size.max_length, left - others)), 0);
    const std::int64_t length = std::ssize(tokens);
    left -= length;
    const auto used = static_cast<std::size_t>(decoder.size().pages_of(length));
    batch.wanted.push_back(static_cast<std::int32_t>(
        decoder.add(batch, tokens, 0, std::span(pages).first(used), length)));
  }
  decoder.run(batch, size.at_once, [](std::int64_t, std::span<const float>) {});
}

Reading Reader::reading_of(const Indices& indices) const {
  Reading one{.indices = &indices, .tokens = without_last(*sequences_[indices.front()])};
  one.first_scored = one.size();
  for (const std::size_t index : indices) {
    one.first_scored = std::min<std::int64_t>(one.first_scored, sequences_[index]->scored_begin);
  }
  return one;
}

LikelihoodStatistics Reader::run(const std::vector<Indices>& groups) {
  for (std::size_t next = 0; next < groups.size() || !readings_.empty();) {
    for (; next < groups.size() && std::ssize(readings_) < size_.at_once; ++next) {
      readings_.push_back(reading_of(groups[next]));
    }
    batch_ = {};
    wanted_.clear();
    schedule();
    LMPO_CHECK(!batch_.tokens.empty());
    decoder_.run(batch_, size_.at_once,
                 [&](std::int64_t first, std::span<const float> logits) { take(first, logits); });
    for (Reading& one : readings_) {
      if (one.path) {
        cache_.mark_stored(*one.path);
        if (one.read == one.size()) {
          finish(one);
          cache_.release(*one.path);
        }
      }
    }
    std::erase_if(readings_, [](const Reading& one) { return one.read == one.size(); });
  }
  return statistics_;
}

// One after another, so that at most one is read in part: it is the first of the next step, and finds
// room in the cache, which holds the longest sequence.
void Reader::schedule() {
  std::int64_t room = kTokensAStep;
  for (Reading& one : readings_) {
    if (room == 0) {
      return;
    }
    if (!one.path && !begin(one)) {
      continue;
    }
    const std::int64_t count = std::min(one.size() - one.read, room);
    const auto tokens =
        one.tokens.subspan(static_cast<std::size_t>(one.read), static_cast<std::size_t>(count));
    if (!cache_.append(*one.path, one.read, tokens, decoder_.kind(one.size()))) {
      cache_.release(*one.path);
      one.path.reset();
      one.read = 0;
      one.scored.clear();
      return;
    }
    room -= count;
    add_rows(one, count);
  }
}

// Takes what the cache remembers of the tokens before those whose logits are wanted. False where more
// of them is being read: it is better to wait for a step.
bool Reader::begin(Reading& one) {
  PrefixCache::Found found = cache_.find(
      one.tokens.first(static_cast<std::size_t>(one.first_scored - 1)), decoder_.kind(one.size()),
      [&](std::int32_t from, std::int32_t to) { decoder_.copy_page(from, to); });
  if (found.later) {
    return false;
  }
  one.path = std::move(found.path);
  one.read = found.tokens;
  return true;
}

void Reader::add_rows(Reading& one, std::int64_t count) {
  std::vector<std::int32_t> pages;
  for (const PrefixCache::Node* node : *one.path) {
    pages.push_back(PrefixCache::page(*node));
  }
  const auto tokens =
      one.tokens.subspan(static_cast<std::size_t>(one.read), static_cast<std::size_t>(count));
  const std::int64_t row = decoder_.add(batch_, tokens, one.read, pages, one.size());
  const std::int64_t end = one.read + count;
  for (std::int64_t position = std::max(one.read + 1, one.first_scored); position <= end;
       ++position) {
    batch_.wanted.push_back(static_cast<std::int32_t>(row + position - 1 - one.read));
    wanted_.push_back({&one, position});
  }
  statistics_.computed += count;
  one.read = end;
}

void Reader::take(std::int64_t first, std::span<const float> logits) {
  const auto width = static_cast<std::size_t>(vocabulary_);
  const auto rows = std::span(wanted_).subspan(static_cast<std::size_t>(first));
  std::vector<std::vector<ScoredToken>> scored(logits.size() / width);
  parallel_each(std::ssize(scored), [&](std::int64_t index) {
    const auto i = static_cast<std::size_t>(index);
    const Reading& one = *rows[i].of;
    std::vector<std::int32_t> tokens;
    if (rows[i].predicts < one.size()) {
      tokens.push_back(one.tokens[static_cast<std::size_t>(rows[i].predicts)]);
    } else {
      for (const std::size_t of : *one.indices) {
        tokens.push_back(sequences_[of]->tokens.back());
      }
    }
    scored[i] = score_tokens(logits.subspan(i * width, width), tokens, 1);
  });
  for (std::size_t i = 0; i < scored.size(); ++i) {
    Reading& one = *rows[i].of;
    if (rows[i].predicts < one.size()) {
      one.scored.push_back(std::move(scored[i].front()));
    } else {
      one.last = std::move(scored[i]);
    }
  }
}

void Reader::finish(const Reading& one) const {
  for (std::size_t i = 0; i < one.indices->size(); ++i) {
    const std::size_t index = (*one.indices)[i];
    Likelihood likelihood;
    const auto add = [&](const ScoredToken& token) {
      likelihood.logp += token.logp;
      likelihood.greedy = likelihood.greedy && token.top.front().token == token.token;
    };
    const std::int64_t own = sequences_[index]->scored_begin - one.first_scored;
    std::ranges::for_each(std::span(one.scored).subspan(static_cast<std::size_t>(own)), add);
    add(one.last[i]);
    if (!std::isfinite(likelihood.logp)) {
      user_error(
          "the model's logits are not finite: its weights hold NaN or infinity, or overflow");
    }
    done_(index, likelihood);
  }
}

}  // namespace

LikelihoodStatistics score_likelihoods(LoadedModel& model,
                                       std::span<const Sequence* const> sequences,
                                       std::int64_t at_once, const TakeLikelihood& done) {
  if (sequences.empty()) {
    return {};
  }
  const std::vector<Indices> groups = groups_of(sequences);
  ReaderSize size{.at_once = std::clamp<std::int64_t>(at_once, 1, std::ssize(groups))};
  std::int64_t tokens = 0;
  for (const Sequence* sequence : sequences) {
    tokens += std::ssize(sequence->tokens) - 1;
    size.max_length = std::max(size.max_length, std::ssize(sequence->tokens) - 1);
  }
  Arena counting = Arena::counting();
  Reader::count(model, *make_plan_ops(*model.ops), counting, size);
  Arena arena = model.device->make_arena(counting.peak());
  LikelihoodStatistics statistics = Reader(model, arena, sequences, size, done).run(groups);
  statistics.tokens = tokens;
  return statistics;
}

}  // namespace lmpo
