// Python's module `random`, number for number: what evaluation harnesses draw with it is drawn
// again. MT19937 (Matsumoto and Nishimura, 1998), seeded and used as CPython 3.2 and later do
// (Lib/random.py, Modules/_randommodule.c). For all else there is base/random.h.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace lmpo {

// Not thread-safe. Counts are below 2^53.
class PythonRandom {
 public:
  // Random(seed).
  explicit PythonRandom(std::uint64_t seed);
  // Random("seed"), of a text's UTF-8 bytes.
  explicit PythonRandom(std::string_view seed);

  // random(): uniform in [0, 1), 53 bits.
  double random();
  // getrandbits(count), for 1 <= count <= 64.
  std::uint64_t bits(int count);
  // randrange(bound), and the index that choice() takes of so many; bound > 0.
  std::uint64_t below(std::uint64_t bound);
  // The indices that choices(population, k=count) takes; size > 0.
  std::vector<std::size_t> choices(std::size_t size, std::size_t count);
  // The indices that sample(population, count) takes; count <= size.
  std::vector<std::size_t> sample(std::size_t size, std::size_t count);
  // shuffle(items).
  template <typename Item>
  void shuffle(std::vector<Item>& items) {
    for (std::size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[below(i)]);
    }
  }

 private:
  std::mt19937 twister_;
};

}  // namespace lmpo
