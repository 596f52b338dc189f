// Byte-pair encoding: a word's characters are merged pair by pair, always the pair whose rule comes
// first in the file, the leftmost of several (Sennrich et al., "Neural machine translation of rare
// words with subword units", ACL 2016), with the options of tokenizer.json's model "BPE".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/integer_table.h"
#include "text/json_part.h"
#include "text/ranked_tokens.h"
#include "text/vocabulary.h"

namespace lmpo {

// The two tokens that a rule of "merges" joins: ["a", "b"], or "a b" in older files; none for
// anything else.
std::optional<std::pair<std::string, std::string>> read_merge_rule(const json& rule);

class Bpe : public VocabularyModel {
 public:
  // `part` is the "model" of a tokenizer.json.
  explicit Bpe(const JsonPart& part);
  // As in tiktoken: a pair merges if its text is a token, in the order of the tokens' ranks. A
  // token's id is first_id + rank. Words to encode are written in the stand-ins of byte_level.h.
  Bpe(const RankedTokens& tokens, TokenId first_id);

  // O(n log n) in the word's length.
  void encode(std::string_view word, Scratch& scratch, std::vector<TokenId>& ids) const override;

 private:
  void find_ends();
  void read_merges(const JsonPart& part);
  void reserve_merges(std::size_t count);
  // A rule that comes twice takes its last rank, as in the reference.
  void add_merge(TokenId left, TokenId right, std::uint32_t rank);

  void split_into_symbols(std::string_view word, Scratch& scratch) const;
  bool fall_back_to_bytes(std::string_view character, Scratch& scratch) const;
  bool can_join(TokenId left, TokenId right) const;
  void push_candidate(std::int32_t position, Scratch& scratch) const;
  void merge_run(std::int32_t begin, std::int32_t end, Scratch& scratch) const;

  // From a pair of ids to the rank of its rule.
  IntegerTable ranks_;
  // What the rule of each rank makes.
  std::vector<TokenId> results_;
  // The first and the last character of each token, and the pairs of characters that some rule
  // joins. No token spans any other pair, so long words can be cut there.
  struct Ends {
    char32_t first, last;
  };
  std::vector<Ends> ends_;
  IntegerTable joints_;
  ByteTokens byte_tokens_;
  std::optional<std::string> unknown_;
  bool fuse_unknown_ = false;
  bool byte_fallback_ = false;
  bool ignore_merges_ = false;
};

}  // namespace lmpo
