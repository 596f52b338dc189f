#include "data/split_slice.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.h"

namespace lmpo {
namespace {

[[noreturn]] void refuse(const std::string& text) {
  user_error(
      "split '{}': expected a name, or a name with a slice such as train[:1000] or train[10%:20%]",
      text);
}

}  // namespace

bool SplitSlice::counts_rows() const {
  return percent || begin.value_or(0) < 0 || end.value_or(0) < 0;
}

std::pair<std::int64_t, std::int64_t> SplitSlice::range(std::int64_t rows) const {
  const auto place = [&](std::int64_t at) {
    const auto all = static_cast<double>(rows);
    const std::int64_t row = percent ? std::llrint(static_cast<double>(at) * all / 100) : at;
    return std::clamp<std::int64_t>(row < 0 ? row + rows : row, 0, rows);
  };
  const std::int64_t first = begin ? place(*begin) : 0;
  return {first, std::max(first, end ? place(*end) : rows)};
}

SplitSlice parse_split(const std::string& text) {
  const std::size_t open = text.find('[');
  if (open == std::string::npos) {
    if (text.find('+') != std::string::npos) {
      user_error("split '{}': give the dataset twice, once with each split", text);
    }
    SplitSlice whole;
    whole.split = text;
    return whole;
  }
  const std::size_t colon = text.find(':', open);
  if (!text.ends_with(']') || colon == std::string::npos ||
      text.find('[', open + 1) < text.size()) {
    refuse(text);
  }
  SplitSlice slice;
  slice.split = text.substr(0, open);
  slice.whole = false;
  const auto number = [&](std::string_view word) -> std::optional<std::int64_t> {
    slice.percent |= word.ends_with('%');
    word.remove_suffix(word.ends_with('%') ? 1 : 0);
    if (word.empty()) {
      return std::nullopt;
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) {
      refuse(text);
    }
    return value;
  };
  const std::string_view all = text;
  slice.begin = number(all.substr(open + 1, colon - open - 1));
  slice.end = number(all.substr(colon + 1, all.size() - colon - 2));
  return slice;
}

}  // namespace lmpo
