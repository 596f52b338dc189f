#include "generate/token_text.h"

#include <algorithm>
#include <span>

#include "base/utf8.h"

namespace lmpo {
namespace {

constexpr std::size_t kLongestCharacter = 4;  // bytes, and so tokens of one byte each

}  // namespace

std::string TokenText::add(TokenId token) {
  if (std::ranges::find(special_, token) != special_.end()) {
    std::string text = finish();
    tokens_.clear();
    shown_ = 0;
    return text + tokenizer_.decode(std::span(&token, 1), false);
  }
  tokens_.push_back(token);
  return added(false);
}

std::string TokenText::finish() {
  return added(true);
}

std::string TokenText::added(bool last) {
  const std::span<const TokenId> all = tokens_;
  const std::string before = tokenizer_.decode(all.first(shown_), true);
  const std::string now = tokenizer_.decode(all, true);
  const bool whole = is_valid_utf8(now) && !now.ends_with(kReplacementCharacter);
  if (!last && !whole && tokens_.size() - shown_ < kLongestCharacter) {
    return "";
  }
  std::string text = now.size() > before.size() ? now.substr(before.size()) : "";
  tokens_.erase(tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(shown_));
  shown_ = tokens_.size();
  return replace_invalid_utf8(text);
}

}  // namespace lmpo
