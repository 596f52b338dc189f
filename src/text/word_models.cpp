#include "text/word_models.h"

#include <cstdint>

#include "base/utf8.h"
#include "text/characters.h"

namespace lmpo {
namespace {

std::size_t read_most_characters(const JsonPart& part) {
  constexpr const char* kKey = "max_input_chars_per_word";
  // The time for a word grows with its square; real files say 100.
  constexpr std::int64_t kMost = 10'000;
  const auto count = part.required<std::int64_t>(kKey);
  if (count < 0 || count > kMost) {
    part.refuse("key '{}': a number from 0 to {} was expected, not {}", kKey, kMost, count);
  }
  return static_cast<std::size_t>(count);
}

}  // namespace

WordLevel::WordLevel(const JsonPart& part)
    : VocabularyModel(Vocabulary(part.child("vocab")), part.where()),
      unknown_(part.required<std::string>("unk_token")) {}

void WordLevel::encode(std::string_view word, Scratch&, std::vector<TokenId>& ids) const {
  const auto id = find(word);
  ids.push_back(id ? *id : unknown_id(unknown_, word));
}

WordPiece::WordPiece(const JsonPart& part)
    : VocabularyModel(Vocabulary(part.child("vocab")), part.where()),
      unknown_(part.required<std::string>("unk_token")),
      prefix_(part.required<std::string>("continuing_subword_prefix")),
      most_characters_(read_most_characters(part)) {}

void WordPiece::encode(std::string_view word, Scratch&, std::vector<TokenId>& ids) const {
  if (count_characters(word) > most_characters_ || !cut(word, ids)) {
    ids.push_back(unknown_id(unknown_, word));
  }
}

bool WordPiece::cut(std::string_view word, std::vector<TokenId>& ids) const {
  const std::size_t before = ids.size();
  std::string piece;
  for (std::size_t begin = 0; begin < word.size();) {
    piece = begin > 0 ? prefix_ : "";
    const std::size_t prefix = piece.size();
    piece += word.substr(begin);
    auto id = find(piece);
    while (!id && piece.size() > prefix) {
      piece.resize(previous_character(piece, piece.size()));
      id = piece.size() > prefix ? find(piece) : std::nullopt;
    }
    if (!id) {
      ids.resize(before);
      return false;
    }
    ids.push_back(*id);
    begin += piece.size() - prefix;
  }
  return true;
}

}  // namespace lmpo
