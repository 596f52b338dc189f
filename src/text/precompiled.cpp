#include "text/precompiled.h"

#include <utf8proc.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "text/base64.h"
#include "text/characters.h"

namespace lmpo {
namespace {

// The key "precompiled_charsmap": the size of a trie in bytes, the trie, and the replacements, each
// with a zero byte after it. The trie is an array of 32-bit numbers, all little-endian, as the
// library darts-clone makes it.
class CharacterMap {
 public:
  explicit CharacterMap(const JsonPart& part) : where_(part.where()) {
    const auto blob = decode_base64(part.required<std::string>("precompiled_charsmap"));
    constexpr std::size_t kNumber = sizeof(std::uint32_t);
    const std::size_t size = blob && blob->size() >= kNumber ? number_at(*blob, 0) : 0;
    if (size < kNumber || size % kNumber != 0 || size > blob->size() - kNumber) {
      part.refuse("key 'precompiled_charsmap': a table of replacements in base64 was expected");
    }
    for (std::size_t at = kNumber; at < kNumber + size; at += kNumber) {
      trie_.push_back(number_at(*blob, at));
    }
    replacements_ = blob->substr(kNumber + size);
  }

  const std::string& where() const { return where_; }

  // The replacement of the shortest text in the table that `text` begins with.
  std::optional<std::string_view> find(std::string_view text) const {
    std::size_t node = offset(unit(0));
    for (const char byte : text) {
      if (byte == '\0') {
        break;
      }
      node ^= static_cast<unsigned char>(byte);
      const std::uint32_t found = unit(node);
      if ((found & kLabel) != static_cast<unsigned char>(byte)) {
        break;
      }
      node ^= offset(found);
      if ((found & kHasValue) != 0) {
        return replacement(unit(node) & ~kIsValue);
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr std::uint32_t kIsValue = 1u << 31;
  static constexpr std::uint32_t kLabel = kIsValue | 0xFF;
  static constexpr std::uint32_t kHasValue = 1u << 8;

  static std::uint32_t number_at(std::string_view bytes, std::size_t at) {
    std::uint32_t number = 0;
    for (std::size_t i = sizeof number; i-- > 0;) {
      number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
    }
    return number;
  }
  static std::size_t offset(std::uint32_t unit) {
    return static_cast<std::size_t>(unit >> 10) << ((unit & 1u << 9) >> 6);
  }

  std::uint32_t unit(std::size_t node) const {
    if (node >= trie_.size()) {
      refuse();
    }
    return trie_[node];
  }
  std::string_view replacement(std::size_t begin) const {
    const std::size_t end = replacements_.find('\0', begin);
    const auto text =
        std::string_view(replacements_).substr(std::min(begin, replacements_.size()), end - begin);
    if (begin > replacements_.size() || !is_valid_utf8(text)) {
      refuse();
    }
    return text;
  }
  [[noreturn]] void refuse() const {
    user_error("{}: key 'precompiled_charsmap': the table is damaged", where_);
  }

  std::vector<std::uint32_t> trie_;
  std::string replacements_;
  std::string where_;
};

// Where the grapheme cluster that begins at `begin` ends (Unicode Standard Annex 29).
std::size_t cluster_end(std::string_view text, std::size_t begin) {
  utf8proc_int32_t state = 0;
  std::size_t end = begin + utf8_size(text[begin]);
  auto before = static_cast<utf8proc_int32_t>(first_code_point(text.substr(begin)));
  while (end < text.size()) {
    const auto next = static_cast<utf8proc_int32_t>(first_code_point(text.substr(end)));
    if (utf8proc_grapheme_break_stateful(before, next, &state)) {
      break;
    }
    end += utf8_size(text[end]);
    before = next;
  }
  return end;
}

class PrecompiledNormalizer {
 public:
  explicit PrecompiledNormalizer(const JsonPart& part)
      : map_(std::make_shared<const CharacterMap>(part)) {}

  void operator()(NormalizedText& normalized) const {
    const std::string_view text = normalized.text;
    Writer writer(normalized, map_->where());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = cluster_end(text, at);
      const std::string_view cluster = text.substr(at, end - at);
      at = end;
      // A cluster is looked up whole only where it is short, as in sentencepiece.
      constexpr std::size_t kLongestCluster = 5;
      if (cluster.size() <= kLongestCluster) {
        if (const auto found = map_->find(cluster)) {
          writer.write(*found, cluster);
          continue;
        }
      }
      for (std::size_t i = 0; i < cluster.size(); i += utf8_size(cluster[i])) {
        const std::string_view character = cluster.substr(i, utf8_size(cluster[i]));
        writer.write(map_->find(character).value_or(character), character);
      }
    }
    writer.finish();
  }

 private:
  // The new text, and how much of it comes from the first character of the input.
  class Writer {
   public:
    Writer(NormalizedText& normalized, const std::string& where)
        : normalized_(normalized),
          where_(where),
          head_characters_(
              count_characters(std::string_view(normalized.text).substr(0, normalized.head))) {}

    // The characters of `piece` come from those of `old` one by one, more of them from the last
    // one. As in the reference, what vanishes before the first piece is not counted.
    void write(std::string_view piece, std::string_view old) {
      check_growth(out_.size() + piece.size(), normalized_.longest, where_);
      const std::size_t characters = count_characters(old);
      if (consumed_ < head_characters_) {
        const std::size_t in_head = head_characters_ - consumed_;
        head_ = out_.size() +
                (in_head < characters ? size_of_characters(piece, in_head) : piece.size());
      }
      out_ += piece;
      consumed_ += out_.empty() ? 0 : characters;
    }
    void finish() {
      normalized_.text = std::move(out_);
      normalized_.head = head_;
    }

   private:
    NormalizedText& normalized_;
    const std::string& where_;
    std::size_t head_characters_;
    std::size_t consumed_ = 0;
    std::string out_;
    std::size_t head_ = 0;
  };

  std::shared_ptr<const CharacterMap> map_;
};

}  // namespace

Normalizer read_precompiled(const JsonPart& part) {
  return PrecompiledNormalizer(part);
}

}  // namespace lmpo
