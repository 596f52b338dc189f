// How often short pieces of words occur in each of 55 languages: the profiles of `langdetect`.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lmpo::grade {

// A piece of one to three characters as one number, 21 bits a character.
using Gram = std::uint64_t;

class LanguageProfiles {
 public:
  // Unpacked for the first use. Thread-safe.
  static const LanguageProfiles& get();

  struct Share {
    std::uint8_t language;  // an index of languages()
    double probability;     // among the language's pieces of this length
  };
  struct Shares {
    const Share* first = nullptr;
    const Share* last = nullptr;
    const Share* begin() const { return first; }
    const Share* end() const { return last; }
  };

  // Codes, such as "en" and "zh-cn", in alphabetical order.
  const std::vector<std::string>& languages() const { return languages_; }
  // The languages in which a piece occurs; none for an unknown piece.
  Shares shares(Gram gram) const;
  // The character that stands for a Chinese character's group; the character itself if it is in no
  // group.
  char32_t normal(char32_t character) const;

 private:
  LanguageProfiles();

  std::vector<std::string> languages_;
  std::vector<Gram> grams_;            // in order
  std::vector<std::uint32_t> begins_;  // where the shares of each gram begin, and the end of all
  std::vector<Share> shares_;
  std::vector<std::pair<char32_t, char32_t>> normal_;  // in order of the first
};

}  // namespace lmpo::grade
