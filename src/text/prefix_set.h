// Finds which of many texts stand at a place of another text. Immutable; thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace lmpo {

class PrefixSet {
 public:
  PrefixSet() = default;
  // Keeps the views; the texts are different and not empty.
  explicit PrefixSet(const std::vector<std::string_view>& texts) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      entries_.push_back({texts[i], static_cast<std::uint32_t>(i)});
    }
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.text < b.text; });
    for (std::uint32_t i = 0; i < entries_.size(); ++i) {
      Range& range = ranges_[byte_at(entries_[i].text, 0)];
      range = {range.first == range.last ? i : range.first, i + 1};
    }
  }

  // Whether a text begins with this byte.
  bool has_first(char byte) const {
    const Range& range = ranges_[static_cast<unsigned char>(byte)];
    return range.first != range.last;
  }

  // Calls found(index, length) for each text that `rest`, which is not empty, begins with: the
  // text's place in the constructor's list and its size. The shortest comes first.
  template <typename Found>
  void search(std::string_view rest, const Found& found) const {
    auto [first, last] = ranges_[byte_at(rest, 0)];
    // The texts in [first, last) agree with the rest in their first `length` bytes.
    for (std::size_t length = 1; first != last; ++length) {
      if (last - first == 1) {
        const Entry& only = entries_[first];
        if (rest.substr(length).starts_with(only.text.substr(length))) {
          found(only.index, only.text.size());
        }
        return;
      }
      if (entries_[first].text.size() == length) {
        found(entries_[first].index, length);
        ++first;
      }
      if (length == rest.size()) {
        break;
      }
      const unsigned char byte = byte_at(rest, length);
      const auto begin = entries_.begin();
      const auto lower = std::partition_point(begin + first, begin + last, [&](const Entry& entry) {
        return byte_at(entry.text, length) < byte;
      });
      const auto upper = std::partition_point(lower, begin + last, [&](const Entry& entry) {
        return byte_at(entry.text, length) == byte;
      });
      first = static_cast<std::uint32_t>(lower - begin);
      last = static_cast<std::uint32_t>(upper - begin);
    }
  }

 private:
  struct Entry {
    std::string_view text;
    std::uint32_t index;
  };
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };
  static unsigned char byte_at(std::string_view text, std::size_t at) {
    return static_cast<unsigned char>(text[at]);
  }

  // Sorted by text.
  std::vector<Entry> entries_;
  // Of the entries, those that begin with each byte.
  std::array<Range, 256> ranges_{};
};

}  // namespace lmpo
