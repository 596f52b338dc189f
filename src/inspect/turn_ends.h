// Finds faults of chat templates: responses that do not end their turn, and doubled BOS tokens.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "text/tokenizer.h"
#include "tree/tree.h"

namespace lmpo {

// A fault under a stable name, and what to do.
struct Advice {
  std::string name;
  std::string reason;
  std::string remedy;
};

// Not thread-safe. The tokenizer must outlive it.
class TurnEnds {
 public:
  // `stop_ids`: the ids that end a turn, that is, at which generation stops.
  TurnEnds(const Tokenizer& tokenizer, std::vector<std::int64_t> stop_ids)
      : tokenizer_(tokenizer), stop_ids_(std::move(stop_ids)) {}

  // Sees the sequences of a row, which must not be truncated.
  void add(std::int64_t row, std::span<const Sequence> sequences);
  std::vector<Advice> advice() const;

 private:
  enum class Ending { stop, other_special, none };
  Ending ending_of(const Sequence& sequence, std::string& token) const;

  const Tokenizer& tokenizer_;
  std::vector<std::int64_t> stop_ids_;
  std::int64_t sequences_ = 0;
  std::int64_t without_end_ = 0;
  std::map<std::string, std::int64_t> other_ends_;  // special tokens that do not stop generation
  std::int64_t doubled_bos_ = 0;
  std::int64_t first_without_end_ = -1;  // rows, for messages
  std::int64_t first_doubled_bos_ = -1;
};

}  // namespace lmpo
