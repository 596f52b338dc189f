#include "grade/language.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "base/python_random.h"
#include "base/utf8.h"
#include "grade/language_letters.h"
#include "grade/language_profiles.h"
#include "grade/python_regex.h"

namespace lmpo::grade {
namespace {

constexpr std::size_t kMostCharacters = 10'000;

std::u32string code_points(std::string_view text) {
  std::u32string result;
  for (std::size_t at = 0; at < text.size(); at += utf8_size(text[at])) {
    result += first_code_point(text.substr(at));
  }
  return result;
}

// The text without addresses, runs of spaces and, if most of its letters are of other scripts,
// Latin letters.
std::u32string cleaned(std::string_view text) {
  static const Regex url = python_regex("https?://[-_.?&~;+=/#0-9A-Za-z]{1,2076}", "language");
  static const Regex mail =
      python_regex("[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}", "language");
  std::u32string characters = code_points(substitute(mail, " ", substitute(url, " ", text)));
  characters = with_vietnamese_letters(characters);
  characters.resize(std::min(characters.size(), kMostCharacters));
  characters.erase(std::unique(characters.begin(), characters.end(),
                               [](char32_t a, char32_t b) { return a == U' ' && b == U' '; }),
                   characters.end());
  // As in langdetect the range has six marks between Z and a; and Latin letters above U+0300 count
  // as of another script, because it compares a number with a name.
  const auto is_latin = [](char32_t each) { return each >= U'A' && each <= U'z'; };
  const auto latin = std::count_if(characters.begin(), characters.end(), is_latin);
  const auto other = std::count_if(characters.begin(), characters.end(),
                                   [](char32_t each) { return each >= 0x300; });
  if (2 * latin < other) {
    std::erase_if(characters, is_latin);
  }
  return characters;
}

// The known pieces of one to three characters, in order. A piece is of one word, with the space
// before or after it; words in capitals are left out.
std::vector<Gram> known_grams(std::string_view text) {
  constexpr std::size_t kLongest = 3;
  const LanguageProfiles& profiles = LanguageProfiles::get();
  std::vector<Gram> known;
  std::u32string last(1, U' ');
  bool in_capitals = false;
  for (const char32_t given : cleaned(text)) {
    const char32_t character = normal_letter(given);
    const char32_t before = last.back();
    if (before == U' ') {
      last.assign(1, U' ');
      in_capitals = false;
    } else if (last.size() == kLongest) {
      last.erase(0, 1);
    }
    if (before != U' ' || character != U' ') {
      last += character;
      in_capitals = is_capital(character) && (in_capitals || is_capital(before));
    }
    Gram gram = 0;
    for (std::size_t size = 1; !in_capitals && size <= last.size(); ++size) {
      gram |= Gram{last[last.size() - size]} << (21 * (size - 1));
      const auto shares = profiles.shares(gram);
      if (shares.begin() != shares.end() && gram != U' ') {
        known.push_back(gram);
      }
    }
  }
  return known;
}

// random.gauss(0, 1), which makes two numbers at a time.
class Gauss {
 public:
  double next(PythonRandom& random) {
    if (second_) {
      return *std::exchange(second_, std::nullopt);
    }
    const double angle = random.random() * 2 * std::numbers::pi;
    const double radius = std::sqrt(-2 * std::log(1 - random.random()));
    second_ = std::sin(angle) * radius;
    return std::cos(angle) * radius;
  }

 private:
  std::optional<double> second_;
};

// The probability of each language after as many pieces as are needed, drawn at random. `smoothing`
// stands for what a profile does not have.
std::vector<double> trial(const std::vector<Gram>& grams, double smoothing, PythonRandom& random) {
  constexpr int kMostDraws = 1000;
  constexpr double kCertain = 0.99999;
  constexpr double kBaseFrequency = 10'000;
  const LanguageProfiles& profiles = LanguageProfiles::get();
  const auto languages = profiles.languages().size();
  std::vector<double> probabilities(languages, 1.0 / static_cast<double>(languages));
  std::vector<double> factors(languages);
  for (int draw = 0;; ++draw) {
    std::fill(factors.begin(), factors.end(), smoothing / kBaseFrequency);
    for (const auto& share : profiles.shares(grams[random.below(grams.size())])) {
      factors[share.language] += share.probability;
    }
    for (std::size_t i = 0; i < languages; ++i) {
      probabilities[i] *= factors[i];
    }
    if (draw % 5 != 0) {
      continue;
    }
    const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
    for (double& each : probabilities) {
      each /= sum;
    }
    if (*std::max_element(probabilities.begin(), probabilities.end()) > kCertain ||
        draw >= kMostDraws) {
      return probabilities;
    }
  }
}

}  // namespace

std::optional<std::string> detect_language(std::string_view text) {
  const std::vector<Gram> grams = known_grams(text);
  if (grams.empty()) {
    return std::nullopt;
  }
  constexpr int kTrials = 7;
  constexpr double kSmoothing = 0.5;
  constexpr double kSmoothingWidth = 0.05;
  constexpr double kLeastProbability = 0.1;
  const std::vector<std::string>& languages = LanguageProfiles::get().languages();
  std::vector<double> mean(languages.size());
  PythonRandom random(std::uint64_t{0});
  Gauss gauss;
  for (int i = 0; i < kTrials; ++i) {
    const double smoothing = kSmoothing + gauss.next(random) * kSmoothingWidth;
    const std::vector<double> probabilities = trial(grams, smoothing, random);
    for (std::size_t j = 0; j < mean.size(); ++j) {
      mean[j] += probabilities[j] / kTrials;
    }
  }
  const auto best = std::max_element(mean.begin(), mean.end());
  return *best > kLeastProbability ? languages[static_cast<std::size_t>(best - mean.begin())]
                                   : "unknown";
}

}  // namespace lmpo::grade
