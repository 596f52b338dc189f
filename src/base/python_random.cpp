#include "base/python_random.h"

#include <sha2.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>
#include <unordered_set>

#include "base/error.h"

namespace lmpo {
namespace {

// What std::mt19937 takes its first state from: the state that init_by_array() of MT19937's authors
// makes of a key. The class has no other way in.
class KeyedState {
 public:
  using result_type = std::uint32_t;

  // The key's words, the lowest first; at least one.
  explicit KeyedState(const std::vector<std::uint32_t>& key) {
    state_[0] = 19650218;
    for (std::size_t i = 1; i < kSize; ++i) {
      state_[i] = 1812433253 * mixed(i - 1) + static_cast<std::uint32_t>(i);
    }
    std::size_t place = 1;
    for (std::size_t step = 0; step < std::max(kSize, key.size()); ++step) {
      const std::size_t word = step % key.size();
      state_[place] = (state_[place] ^ mixed(place - 1) * 1664525) + key[word] +
                      static_cast<std::uint32_t>(word);
      advance(place);
    }
    for (std::size_t step = 1; step < kSize; ++step) {
      state_[place] =
          (state_[place] ^ mixed(place - 1) * 1566083941) - static_cast<std::uint32_t>(place);
      advance(place);
    }
    state_[0] = 0x80000000;
  }

  template <typename Iterator>
  void generate(Iterator begin, Iterator end) const {
    LMPO_CHECK(static_cast<std::size_t>(end - begin) == kSize);
    std::ranges::copy(state_, begin);
  }

 private:
  static constexpr std::size_t kSize = std::mt19937::state_size;

  std::uint32_t mixed(std::size_t place) const { return state_[place] ^ (state_[place] >> 30); }
  void advance(std::size_t& place) {
    if (++place == kSize) {
      state_[0] = state_[kSize - 1];
      place = 1;
    }
  }

  std::array<std::uint32_t, kSize> state_{};
};

std::mt19937 twister_of(const std::vector<std::uint32_t>& key) {
  KeyedState state(key);
  return std::mt19937(state);
}

// A number of many bytes, the highest first, as words, the lowest first; none of the highest is 0.
std::vector<std::uint32_t> words_of(std::string_view bytes) {
  std::vector<std::uint32_t> words((bytes.size() + 3) / 4);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - 1 - i]);
    words[i / 4] |= std::uint32_t{byte} << (8 * (i % 4));
  }
  while (words.size() > 1 && words.back() == 0) {
    words.pop_back();
  }
  return words;
}

// Version 2 of seeding: the text and its SHA-512 as one number.
std::string with_digest(std::string_view text) {
  SHA2_CTX context;
  ::SHA512Init(&context);
  ::SHA512Update(&context, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  std::array<std::uint8_t, SHA512_DIGEST_LENGTH> digest{};
  ::SHA512Final(digest.data(), &context);
  std::string bytes(text);
  bytes.append(digest.begin(), digest.end());
  return bytes;
}

}  // namespace

PythonRandom::PythonRandom(std::uint64_t seed)
    : twister_(twister_of(seed >> 32 == 0 ? std::vector{static_cast<std::uint32_t>(seed)}
                                          : std::vector{static_cast<std::uint32_t>(seed),
                                                        static_cast<std::uint32_t>(seed >> 32)})) {}

PythonRandom::PythonRandom(std::string_view seed)
    : twister_(twister_of(words_of(with_digest(seed)))) {}

double PythonRandom::random() {
  const std::uint64_t high = bits(27);
  const std::uint64_t low = bits(26);
  return static_cast<double>((high << 26) + low) * 0x1.0p-53;
}

std::uint64_t PythonRandom::bits(int count) {
  const auto word = [&](int wanted) {
    return static_cast<std::uint64_t>(twister_()) >> (32 - wanted);
  };
  if (count <= 32) {
    return word(count);
  }
  const std::uint64_t low = word(32);
  return low | (word(count - 32) << 32);
}

std::uint64_t PythonRandom::below(std::uint64_t bound) {
  LMPO_CHECK(bound > 0);
  const int count = static_cast<int>(std::bit_width(bound));
  std::uint64_t draw = bits(count);
  while (draw >= bound) {
    draw = bits(count);
  }
  return draw;
}

std::vector<std::size_t> PythonRandom::choices(std::size_t size, std::size_t count) {
  LMPO_CHECK(size > 0);
  std::vector<std::size_t> drawn(count);
  for (std::size_t& index : drawn) {
    index = static_cast<std::size_t>(std::floor(random() * static_cast<double>(size)));
  }
  return drawn;
}

// Of a small population the drawn are crossed out in a list, of a large one remembered: which of the
// two decides what is drawn.
std::vector<std::size_t> PythonRandom::sample(std::size_t size, std::size_t count) {
  LMPO_CHECK(count <= size);
  std::size_t list_size = 21;
  if (count > 5) {
    std::size_t power = 1;
    while (power < count * 3) {
      power *= 4;
    }
    list_size += power;
  }
  std::vector<std::size_t> drawn(count);
  if (size <= list_size) {
    std::vector<std::size_t> left(size);
    std::iota(left.begin(), left.end(), std::size_t{0});
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t& taken = left[below(size - i)];
      drawn[i] = taken;
      taken = left[size - i - 1];
    }
    return drawn;
  }
  std::unordered_set<std::size_t> taken;
  for (std::size_t& index : drawn) {
    do {
      index = below(size);
    } while (!taken.insert(index).second);
  }
  return drawn;
}

}  // namespace lmpo
