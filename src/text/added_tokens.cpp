#include "text/added_tokens.h"

#include <algorithm>
#include <array>

#include "text/characters.h"
#include "text/regex.h"

namespace lmpo {
namespace {

bool is_word_character(std::string_view character) {
  static const Regex word("[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]", "added_tokens");
  return !word.find_all(character).empty();
}

bool touches_word(std::string_view text, Span span) {
  if (span.begin > 0) {
    const std::size_t before = previous_character(text, span.begin);
    if (is_word_character(text.substr(before, span.begin - before))) {
      return true;
    }
  }
  return span.end < text.size() &&
         is_word_character(text.substr(span.end, utf8_size(text[span.end])));
}

AddedToken read_token(const JsonPart& part, const Normalizer& normalizer) {
  AddedToken token;
  token.content = part.required<std::string>("content");
  token.single_word = part.required<bool>("single_word");
  token.lstrip = part.required<bool>("lstrip");
  token.rstrip = part.required<bool>("rstrip");
  token.normalized = part.required<bool>("normalized");
  token.special = part.required<bool>("special");
  // Every place of a text may have to be compared with the whole of it.
  constexpr std::size_t kLongest = 4096;
  if (token.content.size() > kLongest) {
    part.refuse("key 'content': {} bytes are too long for a token; {} are the most",
                token.content.size(), kLongest);
  }
  NormalizedText pattern(token.content, 0);
  if (token.normalized) {
    normalizer(pattern);
  }
  token.pattern = std::move(pattern.text);
  return token;
}

void check_id(const JsonPart& part, const AddedToken& token, std::int64_t given, std::int64_t id) {
  if (given != id) {
    part.refuse(
        "key 'id': {} was given to the token '{}', but its place is {} (from the vocabulary, or "
        "the next number after it)",
        given, token.content, id);
  }
}

TokenId id_in_range(const JsonPart& part, std::int64_t id) {
  // Far above any real vocabulary; keeps a file that lies from claiming all memory.
  constexpr std::int64_t greatest = (1 << 22) - 1;
  if (id < 0 || id > greatest) {
    part.refuse("key 'id': a number from 0 to {} was expected, not {}", greatest, id);
  }
  return static_cast<TokenId>(id);
}

}  // namespace

TextSet::TextSet(std::vector<const AddedToken*> tokens) : tokens_(std::move(tokens)) {
  std::vector<std::string_view> patterns;
  for (const AddedToken* token : tokens_) {
    patterns.push_back(token->pattern);
  }
  set_ = PrefixSet(patterns);
}

const AddedToken* TextSet::search(std::string_view rest) const {
  const AddedToken* best = nullptr;
  set_.search(rest, [&](std::size_t index, std::size_t) { best = tokens_[index]; });
  return best;
}

AddedTokens::AddedTokens(const JsonPart& part, const SubwordModel& model,
                         const Normalizer& normalizer, Ids ids) {
  if (part.absent()) {
    return;
  }
  const auto elements = part.elements();
  // The tokens are referred to by address from here on.
  tokens_.reserve(elements.size());
  std::int64_t next_id = model.size();
  std::array<std::vector<const AddedToken*>, 2> kinds;
  std::array<std::unordered_set<std::string_view>, 2> patterns;
  for (const JsonPart& element : elements) {
    AddedToken& token = tokens_.emplace_back(read_token(element, normalizer));
    if (token.pattern.empty()) {
      element.refuse("key 'content': '{}' is an empty text", token.content);
    }
    if (!by_content_.emplace(token.content, &token).second) {
      element.refuse("the token '{}' comes twice", token.content);
    }
    const auto given = element.required<std::int64_t>("id");
    const auto known = model.find(token.content);
    if (known || ids == Ids::counted) {
      check_id(element, token, given, known ? *known : next_id++);
    }
    token.id = id_in_range(element, given);
    if (!by_id_.emplace(token.id, &token).second) {
      element.refuse("key 'id': {} belongs to two tokens", given);
    }
    if (!patterns[token.normalized].insert(token.pattern).second) {
      element.refuse("the token '{}' is the same text as another when normalized", token.content);
    }
    kinds[token.normalized].push_back(&token);
    if (token.special) {
      special_.insert(token.content);
      special_tokens_.push_back(token);
      special_tokens_.back().pattern = token.content;
    }
  }
  raw_ = TextSet(std::move(kinds[false]));
  normalized_ = TextSet(std::move(kinds[true]));
  std::vector<const AddedToken*> special;
  for (const AddedToken& token : special_tokens_) {
    special.push_back(&token);
  }
  special_contents_ = TextSet(std::move(special));
}

std::vector<AddedTokens::Part> AddedTokens::split(std::string_view text, bool normalized,
                                                  bool special) const {
  const TextSet& set = normalized ? normalized_ : raw_;
  std::vector<Part> parts;
  std::size_t taken = 0;
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* token = set.longest(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    Span span{at, at + token->pattern.size()};
    at = span.end;
    if (token->special && !special) {
      continue;
    }
    if (token->single_word && touches_word(text, span)) {
      continue;
    }
    if (token->lstrip) {
      span.begin = std::max(white_space_begin(text, span.begin), taken);
    }
    if (token->rstrip) {
      span.end = white_space_end(text, span.end);
    }
    if (taken < span.begin) {
      parts.push_back({{taken, span.begin}, nullptr});
    }
    parts.push_back({span, token});
    taken = span.end;
  }
  if (taken != text.size()) {
    parts.push_back({{taken, text.size()}, nullptr});
  }
  return parts;
}

std::size_t AddedTokens::find_special(std::string_view text, std::size_t at) const {
  while (at < text.size() && special_contents_.longest(text, at) == nullptr) {
    ++at;
  }
  return at < text.size() ? at : std::string_view::npos;
}

const AddedToken* AddedTokens::find(std::string_view content) const {
  const auto found = by_content_.find(content);
  return found == by_content_.end() ? nullptr : found->second;
}

const AddedToken* AddedTokens::find(TokenId id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

std::int64_t AddedTokens::id_limit() const {
  std::int64_t limit = 0;
  for (const AddedToken& token : tokens_) {
    limit = std::max<std::int64_t>(limit, token.id + 1);
  }
  return limit;
}

}  // namespace lmpo
