#include "text/unigram.h"

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include "base/utf8.h"

namespace lmpo {
namespace {

// What an unknown character scores below the least score of a token.
constexpr double kUnknownPenalty = 10;
// Each place of a text may have to be compared with the whole of a token.
constexpr std::size_t kLongestPiece = 4096;

}  // namespace

struct Unigram::Pieces {
  std::vector<std::string> texts;
  std::vector<double> scores;
};

Unigram::Pieces Unigram::read_pieces(const JsonPart& part) {
  if (!part.value().is_array()) {
    part.refuse("a list of [token, score] was expected");
  }
  Pieces pieces;
  std::unordered_set<std::string_view> seen;
  for (const json& piece : part.value()) {
    const auto place = [&] { return fmt::format("{}[{}]", part.where(), pieces.texts.size()); };
    if (!piece.is_array() || piece.size() != 2 || !piece[0].is_string() || !piece[1].is_number()) {
      user_error("{}: a token and its score were expected, as [\"a\", -1.5]", place());
    }
    const auto& text = piece[0].get_ref<const std::string&>();
    if (text.empty() || text.size() > kLongestPiece) {
      user_error("{}: a token of 1 to {} bytes was expected, not of {}", place(), kLongestPiece,
                 text.size());
    }
    if (!seen.insert(text).second) {
      user_error("{}: the token '{}' comes twice", place(), text);
    }
    pieces.texts.push_back(text);
    pieces.scores.push_back(piece[1].get<double>());
  }
  return pieces;
}

Unigram::Unigram(const JsonPart& part) : Unigram(part, read_pieces(part.child("vocab"))) {}

Unigram::Unigram(const JsonPart& part, Pieces pieces)
    : VocabularyModel(Vocabulary(std::move(pieces.texts)), part.where()),
      scores_(std::move(pieces.scores)),
      byte_tokens_(vocabulary_) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<std::string_view> texts;
  for (TokenId id = 0; id < id_limit(); ++id) {
    texts.push_back(token(id));
    least = std::min(least, scores_[static_cast<std::size_t>(id)]);
  }
  unknown_score_ = least - kUnknownPenalty;
  prefixes_ = PrefixSet(texts);
  if (!part.child("unk_id").absent()) {
    const auto id = part.required<std::int64_t>("unk_id");
    if (id < 0 || id >= id_limit()) {
      part.refuse("key 'unk_id': {} is not the id of a token; there are {}", id, id_limit());
    }
    unknown_ = static_cast<TokenId>(id);
  }
  byte_fallback_ = part.optional<bool>("byte_fallback", false);
}

// Fills scratch.path: for each place of the word where a character ends, the last token on the best
// way there.
void Unigram::find_best_path(std::string_view word, Scratch& scratch) const {
  auto& path = scratch.path;
  path.assign(word.size() + 1, {});
  std::size_t begin = 0;
  const auto reach = [&](std::size_t length, TokenId id, double score) {
    auto& end = path[begin + length];
    const double sum = score + path[begin].score;
    if (end.begin < 0 || sum > end.score) {
      end = {sum, static_cast<std::int32_t>(begin), id};
    }
  };
  while (begin < word.size()) {
    const std::size_t size = utf8_size(word[begin]);
    bool has_character = false;
    prefixes_.search(word.substr(begin), [&](std::size_t id, std::size_t length) {
      reach(length, static_cast<TokenId>(id), scores_[id]);
      has_character = has_character || length == size;
    });
    if (!has_character) {
      reach(size, unknown_for(word.substr(begin, size)), unknown_score_);
    }
    begin += size;
  }
}

void Unigram::encode(std::string_view word, Scratch& scratch, std::vector<TokenId>& ids) const {
  LMPO_CHECK(word.size() <= INT32_MAX);
  find_best_path(word, scratch);
  // From the end to the beginning; unknown tokens that touch become one.
  auto& pieces = scratch.pieces;
  pieces.clear();
  for (auto end = static_cast<std::int32_t>(word.size()); end > 0;) {
    const auto& last = scratch.path[static_cast<std::size_t>(end)];
    if (last.id == unknown_ && !pieces.empty() && pieces.back().id == last.id) {
      pieces.back().begin = last.begin;
    } else {
      pieces.push_back({last.begin, end, last.id});
    }
    end = last.begin;
  }
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    if (piece->id == unknown_) {
      const auto begin = static_cast<std::size_t>(piece->begin);
      add_unknown(word.substr(begin, static_cast<std::size_t>(piece->end) - begin), ids);
    } else {
      ids.push_back(piece->id);
    }
  }
}

void Unigram::add_unknown(std::string_view text, std::vector<TokenId>& ids) const {
  if (const auto id = find(text)) {
    ids.push_back(*id);
  } else if (byte_fallback_ && byte_tokens_.cover(text)) {
    for (const char byte : text) {
      ids.push_back(byte_tokens_.of(byte));
    }
  } else {
    ids.push_back(unknown_for(text));
  }
}

TokenId Unigram::unknown_for(std::string_view text) const {
  if (!unknown_) {
    user_error(
        "{}: key 'unk_id' is missing, but there is a text that needs a token for unknown "
        "characters: '{}'",
        where_, text.substr(0, utf8_size(text[0])));
  }
  return *unknown_;
}

}  // namespace lmpo
