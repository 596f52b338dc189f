#include "text/bpe.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "base/utf8.h"
#include "text/byte_level.h"

namespace lmpo {
namespace {

constexpr TokenId merged_away = -1;

// Two numbers that are not negative and below 2^31, as one key.
std::uint64_t pair_of(std::uint32_t left, std::uint32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | right;
}
std::uint64_t pair_of(TokenId left, TokenId right) {
  return pair_of(static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(right));
}

void add_symbol(TokenId id, SubwordModel::Scratch& scratch) {
  const auto position = static_cast<std::int32_t>(scratch.symbols.size());
  scratch.symbols.push_back({id, position - 1, position + 1});
}

Vocabulary stand_in_vocabulary(const RankedTokens& tokens, TokenId first_id) {
  std::vector<std::string> texts(static_cast<std::size_t>(first_id));
  for (const std::string& bytes : tokens.bytes) {
    texts.push_back(stand_ins(bytes));
  }
  return Vocabulary(std::move(texts), first_id);
}

}  // namespace

std::optional<std::pair<std::string, std::string>> read_merge_rule(const json& rule) {
  std::pair<std::string, std::string> tokens;
  if (rule.is_array() && rule.size() == 2 && rule[0].is_string() && rule[1].is_string()) {
    tokens = {rule[0].get<std::string>(), rule[1].get<std::string>()};
  } else if (rule.is_string()) {
    const auto& text = rule.get_ref<const std::string&>();
    const std::size_t space = std::min(text.find(' '), text.size());
    tokens = {text.substr(0, space), text.substr(std::min(space + 1, text.size()))};
    if (tokens.second.find(' ') != std::string::npos) {
      return std::nullopt;
    }
  }
  return tokens.first.empty() || tokens.second.empty() ? std::nullopt : std::optional(tokens);
}

Bpe::Bpe(const JsonPart& part)
    : VocabularyModel(Vocabulary(part.child("vocab")), part.where()), byte_tokens_(vocabulary_) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (const auto affix = part.optional<std::string>(key, ""); !affix.empty()) {
      part.refuse("key '{}': '{}' is not supported, only null", key, affix);
    }
  }
  if (const double dropout = part.optional<double>("dropout", 0); dropout != 0) {
    part.refuse("key 'dropout': {} is not supported, only null (ids would be random)", dropout);
  }
  if (!part.child("unk_token").absent()) {
    unknown_ = part.required<std::string>("unk_token");
  }
  fuse_unknown_ = part.optional<bool>("fuse_unk", false);
  byte_fallback_ = part.optional<bool>("byte_fallback", false);
  ignore_merges_ = part.optional<bool>("ignore_merges", false);
  find_ends();
  read_merges(part);
}

void Bpe::find_ends() {
  ends_.resize(static_cast<std::size_t>(id_limit()));
  for (std::size_t id = 0; id < ends_.size(); ++id) {
    if (const std::string_view text = token(static_cast<TokenId>(id)); !text.empty()) {
      ends_[id] = {first_code_point(text),
                   first_code_point(text.substr(previous_character(text, text.size())))};
    }
  }
}

void Bpe::read_merges(const JsonPart& part) {
  const JsonPart list = part.child("merges");
  if (!list.value().is_array()) {
    list.refuse("a list was expected");
  }
  reserve_merges(list.value().size());
  for (std::size_t i = 0; i < list.value().size(); ++i) {
    const json& rule = list.value()[i];
    if (rule.is_string() && rule.get_ref<const std::string&>().starts_with("#version")) {
      continue;
    }
    const auto id_of = [&](const std::string& token) {
      const auto id = find(token);
      if (!id) {
        user_error("{}[{}]: the token '{}' is not in the vocabulary", list.where(), i, token);
      }
      return *id;
    };
    const auto tokens = read_merge_rule(rule);
    if (!tokens) {
      user_error("{}[{}]: two tokens were expected, as \"a b\" or [\"a\", \"b\"]", list.where(), i);
    }
    const TokenId left = id_of(tokens->first);
    const TokenId right = id_of(tokens->second);
    add_merge(left, right, static_cast<std::uint32_t>(results_.size()));
    results_.push_back(id_of(tokens->first + tokens->second));
  }
}

Bpe::Bpe(const RankedTokens& tokens, TokenId first_id)
    : VocabularyModel(stand_in_vocabulary(tokens, first_id), tokens.where),
      byte_tokens_(vocabulary_),
      ignore_merges_(true) {
  find_ends();
  // Every way to cut a token into two others is a rule for it.
  struct Rule {
    TokenId left, right, result;
  };
  std::vector<Rule> rules;
  for (TokenId id = first_id; id < id_limit(); ++id) {
    const std::string_view whole = token(id);
    for (std::size_t cut = utf8_size(whole[0]); cut < whole.size(); cut += utf8_size(whole[cut])) {
      const auto left = find(whole.substr(0, cut));
      const auto right = left ? find(whole.substr(cut)) : std::nullopt;
      if (right) {
        rules.push_back({*left, *right, id});
      }
    }
  }
  reserve_merges(rules.size());
  for (const Rule& rule : rules) {
    add_merge(rule.left, rule.right, static_cast<std::uint32_t>(rule.result - first_id));
  }
  results_.resize(tokens.bytes.size());
  std::iota(results_.begin(), results_.end(), first_id);
}

void Bpe::reserve_merges(std::size_t count) {
  ranks_ = IntegerTable(count);
  joints_ = IntegerTable(count);
}

void Bpe::add_merge(TokenId left, TokenId right, std::uint32_t rank) {
  ranks_.set(pair_of(left, right), rank);
  joints_.set(pair_of(ends_[static_cast<std::size_t>(left)].last,
                      ends_[static_cast<std::size_t>(right)].first),
              0);
}

bool Bpe::can_join(TokenId left, TokenId right) const {
  return joints_.find(pair_of(ends_[static_cast<std::size_t>(left)].last,
                              ends_[static_cast<std::size_t>(right)].first)) != nullptr;
}

void Bpe::encode(std::string_view word, Scratch& scratch, std::vector<TokenId>& ids) const {
  if (ignore_merges_) {
    if (const auto id = find(word)) {
      ids.push_back(*id);
      return;
    }
  }
  LMPO_CHECK(word.size() <= INT32_MAX);
  split_into_symbols(word, scratch);
  const auto& symbols = scratch.symbols;
  for (std::size_t begin = 0, end = 0; begin < symbols.size(); begin = end) {
    do {
      ++end;
    } while (end < symbols.size() && can_join(symbols[end - 1].id, symbols[end].id));
    merge_run(static_cast<std::int32_t>(begin), static_cast<std::int32_t>(end), scratch);
  }
  for (const auto& symbol : symbols) {
    if (symbol.id != merged_away) {
      ids.push_back(symbol.id);
    }
  }
}

void Bpe::split_into_symbols(std::string_view word, Scratch& scratch) const {
  scratch.symbols.clear();
  // Unknown characters are held back until the next known one, so that a run can become one token.
  // Byte tokens do not end the run: a quirk of the reference, kept for equal ids.
  std::optional<TokenId> waiting;
  for (std::size_t at = 0; at < word.size();) {
    const std::string_view character = word.substr(at, utf8_size(word[at]));
    at += character.size();
    if (const auto id = find(character)) {
      if (waiting) {
        add_symbol(*std::exchange(waiting, std::nullopt), scratch);
      }
      add_symbol(*id, scratch);
    } else if (!fall_back_to_bytes(character, scratch) && unknown_) {
      if (waiting && !fuse_unknown_) {
        add_symbol(*waiting, scratch);
      }
      waiting = unknown_id(*unknown_, character);
    }
  }
  if (waiting) {
    add_symbol(*waiting, scratch);
  }
}

bool Bpe::fall_back_to_bytes(std::string_view character, Scratch& scratch) const {
  if (!byte_fallback_ || !byte_tokens_.cover(character)) {
    return false;
  }
  for (const char byte : character) {
    add_symbol(byte_tokens_.of(byte), scratch);
  }
  return true;
}

// Queues the merge of the symbol at `position` with the one after it, where there is a rule.
void Bpe::push_candidate(std::int32_t position, Scratch& scratch) const {
  const auto& left = scratch.symbols[static_cast<std::size_t>(position)];
  const auto& right = scratch.symbols[static_cast<std::size_t>(left.next)];
  if (const std::uint32_t* rank = ranks_.find(pair_of(left.id, right.id))) {
    scratch.queue.push_back(static_cast<std::uint64_t>(*rank) << 32 |
                            static_cast<std::uint64_t>(position));
  }
}

// Merges among the symbols [begin, end).
void Bpe::merge_run(std::int32_t begin, std::int32_t end, Scratch& scratch) const {
  auto& symbols = scratch.symbols;
  auto& queue = scratch.queue;
  queue.clear();
  for (std::int32_t i = begin; i + 1 < end; ++i) {
    push_candidate(i, scratch);
  }
  constexpr std::greater<> comes_later;
  std::make_heap(queue.begin(), queue.end(), comes_later);
  const auto push = [&](std::int32_t position) {
    const std::size_t before = queue.size();
    push_candidate(position, scratch);
    if (queue.size() > before) {
      std::push_heap(queue.begin(), queue.end(), comes_later);
    }
  };
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), comes_later);
    const TokenId result = results_[queue.back() >> 32];
    const auto position = static_cast<std::int32_t>(queue.back() & UINT32_MAX);
    queue.pop_back();
    auto& left = symbols[static_cast<std::size_t>(position)];
    if (left.id == merged_away || left.next >= end) {
      continue;
    }
    auto& right = symbols[static_cast<std::size_t>(left.next)];
    // An entry is out of date when another merge has taken one of its two symbols.
    const std::uint32_t* rank = ranks_.find(pair_of(left.id, right.id));
    if (rank == nullptr || results_[*rank] != result) {
      continue;
    }
    left.id = result;
    left.next = right.next;
    right.id = merged_away;
    if (left.next < end) {
      symbols[static_cast<std::size_t>(left.next)].previous = position;
      push(position);
    }
    if (left.previous >= begin) {
      push(left.previous);
    }
  }
}

}  // namespace lmpo
