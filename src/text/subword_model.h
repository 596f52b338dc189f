// What turns the words of a text into token ids, whatever file it was read from. Immutable after
// loading; all calls are thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace lmpo {

class SubwordModel {
 public:
  // Scratch memory that calls of encode reuse, one for each thread.
  struct Scratch {
    struct Symbol {
      TokenId id;
      std::int32_t previous, next;
    };
    std::vector<Symbol> symbols;
    // Merges to be done, a heap: the rule's rank in the upper half, the left symbol's position in
    // the lower.
    std::vector<std::uint64_t> queue;
    // Of a word's best way into tokens: by place in the word, the last token on the way there.
    struct Step {
      double score = 0;
      std::int32_t begin = -1;
      TokenId id = 0;
    };
    std::vector<Step> path;
    struct Piece {
      std::int32_t begin, end;
      TokenId id;
    };
    std::vector<Piece> pieces;
  };

  SubwordModel() = default;
  virtual ~SubwordModel() = default;
  SubwordModel(const SubwordModel&) = delete;
  SubwordModel& operator=(const SubwordModel&) = delete;

  // Appends the ids of one word: valid UTF-8, at most 2^31 - 1 bytes.
  virtual void encode(std::string_view word, Scratch& scratch, std::vector<TokenId>& ids) const = 0;

  virtual std::optional<TokenId> find(std::string_view token) const = 0;
  // "" for an id that has none.
  virtual std::string_view token(TokenId id) const = 0;
  // One more than the largest id, and the number of tokens: not the same where ids have gaps.
  virtual std::int64_t id_limit() const = 0;
  virtual std::int64_t size() const = 0;
};

}  // namespace lmpo
