#include "text/vocabulary.h"

#include <algorithm>

namespace lmpo {
namespace {

// Far above any real vocabulary; keeps a file that lies from claiming all memory.
constexpr std::int64_t greatest_id = (1 << 22) - 1;

}  // namespace

Vocabulary::Vocabulary(const JsonPart& part) {
  if (!part.value().is_object()) {
    part.refuse("an object from tokens to ids was expected");
  }
  std::vector<bool> taken;
  for (const auto& [token, value] : part.value().items()) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > greatest_id) {
      part.refuse("token '{}': an id from 0 to {} was expected, not {}", token, greatest_id,
                  value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 60));
    }
    const auto id = value.get<std::size_t>();
    if (id >= tokens_.size()) {
      tokens_.resize(id + 1);
      taken.resize(id + 1);
    }
    if (taken[id]) {
      part.refuse("tokens '{}' and '{}' have the same id {}", tokens_[id], token, id);
    }
    taken[id] = true;
    tokens_[id] = token;
  }
  index(taken);
}

Vocabulary::Vocabulary(std::vector<std::string> tokens, TokenId first_id)
    : tokens_(std::move(tokens)) {
  std::vector<bool> taken(tokens_.size(), true);
  std::fill(taken.begin(), taken.begin() + first_id, false);
  index(taken);
}

void Vocabulary::index(const std::vector<bool>& taken) {
  size_ = std::count(taken.begin(), taken.end(), true);
  ids_ = IntegerTable(static_cast<std::size_t>(size_));
  for (std::size_t id = 0; id < tokens_.size(); ++id) {
    if (taken[id]) {
      std::uint64_t key = hash_of(tokens_[id]);
      while (ids_.find(key) != nullptr) {
        ++key;
      }
      ids_.set(key, static_cast<std::uint32_t>(id));
    }
  }
}

TokenId VocabularyModel::unknown_id(std::string_view unknown, std::string_view text) const {
  const auto id = find(unknown);
  if (!id) {
    constexpr std::size_t kShown = 60;
    user_error(
        "{}: key 'unk_token': '{}' is not in the vocabulary, but there is a text that needs it: "
        "'{}'",
        where_, unknown, text.substr(0, kShown));
  }
  return *id;
}

ByteTokens::ByteTokens(const Vocabulary& vocabulary) {
  for (unsigned byte = 0; byte < ids_.size(); ++byte) {
    ids_[byte] = vocabulary.find(fmt::format("<0x{:02X}>", byte)).value_or(-1);
  }
}

bool ByteTokens::cover(std::string_view text) const {
  return std::all_of(text.begin(), text.end(), [&](char byte) { return of(byte) >= 0; });
}

}  // namespace lmpo
