// languages.zst, unpacked, has in little-endian order:
//   u32 languages, u32 grams
//   each language: 8 bytes of its code, padded by zeros; three u32: its pieces of 1, 2, 3 characters
//   u32 pairs, and as many times: u32 Chinese character, u32 the one that stands for it
//   each gram: varint, the difference to the gram before
//   each gram: u8, in how many languages it occurs
//   each of these languages: u8, its index; then for all: varint, how often it occurs
#include "grade/language_profiles.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "grade/embedded.h"

namespace lmpo::grade {
namespace {

constexpr int kCharacterBits = 21;

std::string unpacked(std::string_view packed) {
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  std::string content(size, '\0');
  const std::size_t made =
      ZSTD_decompress(content.data(), content.size(), packed.data(), packed.size());
  LMPO_CHECK(made == content.size());
  return content;
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::string_view take(std::size_t count) {
    LMPO_CHECK(count <= bytes_.size());
    const std::string_view part = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return part;
  }
  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
  std::uint32_t number() {
    std::uint32_t value = 0;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::uint64_t varint() {
    constexpr unsigned kMore = 128;
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const unsigned part = byte();
      value |= std::uint64_t{part % kMore} << shift;
      if (part < kMore) {
        return value;
      }
    }
  }

 private:
  std::string_view bytes_;
};

std::size_t length_of(Gram gram) {
  return gram >> (2 * kCharacterBits) != 0 ? 3 : gram >> kCharacterBits != 0 ? 2 : 1;
}

}  // namespace

LanguageProfiles::LanguageProfiles() {
  const std::string content = unpacked(languages_file());
  Reader reader(content);
  const std::uint32_t languages = reader.number();
  grams_.resize(reader.number());
  std::vector<std::array<double, 3>> pieces(languages);
  for (std::array<double, 3>& counts : pieces) {
    constexpr std::size_t kCodeSize = 8;
    languages_.emplace_back(reader.take(kCodeSize).data());
    for (double& count : counts) {
      count = reader.number();
    }
  }
  normal_.resize(reader.number());
  for (auto& [character, group] : normal_) {
    character = reader.number();
    group = reader.number();
  }
  Gram before = 0;
  for (Gram& gram : grams_) {
    gram = before += reader.varint();
  }
  begins_.push_back(0);
  for (std::size_t i = 0; i < grams_.size(); ++i) {
    begins_.push_back(begins_.back() + reader.byte());
  }
  shares_.resize(begins_.back());
  for (Share& share : shares_) {
    share.language = reader.byte();
  }
  for (std::size_t i = 0; i < grams_.size(); ++i) {
    for (std::uint32_t at = begins_[i]; at < begins_[i + 1]; ++at) {
      const double total = pieces.at(shares_[at].language)[length_of(grams_[i]) - 1];
      shares_[at].probability = static_cast<double>(reader.varint()) / total;
    }
  }
}

const LanguageProfiles& LanguageProfiles::get() {
  static const LanguageProfiles profiles;
  return profiles;
}

LanguageProfiles::Shares LanguageProfiles::shares(Gram gram) const {
  const auto found = std::lower_bound(grams_.begin(), grams_.end(), gram);
  if (found == grams_.end() || *found != gram) {
    return {};
  }
  const auto i = static_cast<std::size_t>(found - grams_.begin());
  return {shares_.data() + begins_[i], shares_.data() + begins_[i + 1]};
}

char32_t LanguageProfiles::normal(char32_t character) const {
  const auto found = std::lower_bound(normal_.begin(), normal_.end(), std::pair(character, U'\0'));
  return found != normal_.end() && found->first == character ? found->second : character;
}

}  // namespace lmpo::grade
