// A hash table from 64-bit keys to 32-bit values, filled once and then only read: open addressing
// with linear probing, at most half full, so that a look-up costs about one cache miss.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lmpo {

class IntegerTable {
 public:
  // Room for `count` keys.
  explicit IntegerTable(std::size_t count = 0)
      : slots_(std::bit_ceil(std::max<std::size_t>(2 * count, 2))),
        shift_(64 - std::countr_zero(slots_.size())) {}

  // The value of a key that has been set, or null.
  const std::uint32_t* find(std::uint64_t key) const {
    const Slot& slot = slots_[place(key)];
    return slot.key == key ? &slot.value : nullptr;
  }

  // A key may be any number but the largest. Not more different keys than there is room for.
  void set(std::uint64_t key, std::uint32_t value) { slots_[place(key)] = {key, value}; }

 private:
  static constexpr std::uint64_t none = UINT64_MAX;
  struct Slot {
    std::uint64_t key = none;
    std::uint32_t value = 0;
  };

  // The slot that holds the key, or the free one where it belongs.
  std::size_t place(std::uint64_t key) const {
    // Fibonacci hashing: the upper bits of a product with 2^64 / golden ratio.
    auto slot = static_cast<std::size_t>((key * 0x9E3779B97F4A7C15u) >> shift_);
    while (slots_[slot].key != key && slots_[slot].key != none) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    return slot;
  }

  std::vector<Slot> slots_;
  int shift_;
};

}  // namespace lmpo
