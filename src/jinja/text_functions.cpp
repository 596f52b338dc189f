#include "jinja/text_functions.h"

#include <algorithm>
#include <cstring>

#include "base/utf8.h"
#include "jinja/value.h"

namespace lmpo::jinja {
namespace {

void add_part(std::vector<std::string>& parts, std::string_view part) {
  if (parts.size() >= limits().items) {
    fail("split: more than {} parts", limits().items);
  }
  charge_work(kItemWork + part.size());
  parts.emplace_back(part);
}

std::size_t space_end(std::string_view text, std::size_t at) {
  while (at < text.size() && is_python_space(text.substr(at, utf8_size(text[at])))) {
    at += utf8_size(text[at]);
  }
  return at;
}

std::size_t space_begin(std::string_view text, std::size_t end) {
  while (end > 0) {
    const std::size_t before = previous_character(text, end);
    if (!is_python_space(text.substr(before, end - before))) {
      break;
    }
    end = before;
  }
  return end;
}

std::vector<std::string> split_at_space(std::string_view text, std::int64_t most) {
  charge_work(text.size() * kCharacterWork);
  std::vector<std::string> words;
  for (std::size_t at = space_end(text, 0); at < text.size(); at = space_end(text, at)) {
    if (most >= 0 && std::ssize(words) >= most) {
      add_part(words, text.substr(at));  // trailing white space stays, as in Python
      break;
    }
    std::size_t end = at;
    while (end < text.size() && !is_python_space(text.substr(end, utf8_size(text[end])))) {
      end += utf8_size(text[end]);
    }
    add_part(words, text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::vector<std::string> split_at_space_from_right(std::string_view text, std::int64_t most) {
  charge_work(text.size() * kCharacterWork);
  std::vector<std::string> words;
  for (std::size_t end = space_begin(text, text.size()); end > 0; end = space_begin(text, end)) {
    if (most >= 0 && std::ssize(words) >= most) {
      add_part(words, text.substr(0, end));
      break;
    }
    std::size_t begin = end;
    while (begin > 0) {
      const std::size_t before = previous_character(text, begin);
      if (is_python_space(text.substr(before, begin - before))) {
        break;
      }
      begin = before;
    }
    add_part(words, text.substr(begin, end - begin));
    end = begin;
  }
  std::reverse(words.begin(), words.end());
  return words;
}

}  // namespace

bool is_python_space(std::string_view character) {
  const char32_t point = first_code_point(character);
  return is_white_space(point) || (point >= 0x1C && point <= 0x1F);
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xC0') != '\x80'; }));
}

// Up to this size std::string_view's search is used: at most this many times slower than linear.
constexpr std::size_t kShort = 16;

std::size_t find_first(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) {
    return std::string_view::npos;
  }
  if (part.size() <= kShort) {
    return text.find(part, from);
  }
  // Linear in both lengths, which std::string_view's search is not.
  const void* found = memmem(text.data() + from, text.size() - from, part.data(), part.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

std::size_t find_last(std::string_view text, std::string_view part) {
  if (part.size() <= kShort) {
    return text.rfind(part);
  }
  charge_work(4 * (text.size() + part.size()));
  const std::string reversed(text.rbegin(), text.rend());
  const std::string wanted(part.rbegin(), part.rend());
  const std::size_t found = find_first(reversed, wanted);
  return found == std::string_view::npos ? found : text.size() - found - part.size();
}

std::string strip(std::string_view text, const std::optional<std::string>& set, bool left,
                  bool right) {
  std::vector<bool> members;
  if (set) {
    members.resize(0x110000);
    for_characters(*set, [&](std::string_view each) { members[first_code_point(each)] = true; });
  }
  const auto goes = [&](std::string_view character) {
    return set ? members[first_code_point(character)] : is_python_space(character);
  };
  std::size_t begin = 0;
  std::size_t end = text.size();
  while (left && begin < end && goes(text.substr(begin, utf8_size(text[begin])))) {
    begin += utf8_size(text[begin]);
  }
  while (right && begin < end) {
    const std::size_t last = previous_character(text, end);
    if (!goes(text.substr(last, end - last))) {
      break;
    }
    end = last;
  }
  charge_work((text.size() - (end - begin)) * kCharacterWork);
  return std::string(text.substr(begin, end - begin));
}

std::vector<std::string> split(std::string_view text, const std::optional<std::string>& separator,
                               std::int64_t most, bool from_right) {
  if (!separator) {
    return from_right ? split_at_space_from_right(text, most) : split_at_space(text, most);
  }
  if (separator->empty()) {
    fail("split: the separator is empty");
  }
  std::vector<std::string> parts;
  while (most < 0 || std::ssize(parts) < most) {
    const std::size_t at = from_right ? find_last(text, *separator) : find_first(text, *separator);
    if (at == std::string_view::npos) {
      break;
    }
    const std::string_view before = text.substr(0, at);
    const std::string_view after = text.substr(at + separator->size());
    add_part(parts, from_right ? after : before);
    text = from_right ? before : after;
  }
  add_part(parts, text);
  if (from_right) {
    std::reverse(parts.begin(), parts.end());
  }
  return parts;
}

std::vector<std::string> split_lines(std::string_view text, bool keep_ends) {
  charge_work(text.size() * kCharacterWork);
  std::vector<std::string> lines;
  std::size_t begin = 0;
  const auto is_break = [](char32_t point) {
    return (point >= 0x0A && point <= 0x0D) || (point >= 0x1C && point <= 0x1E) || point == 0x85 ||
           point == 0x2028 || point == 0x2029;
  };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = utf8_size(text[at]);
    if (is_break(first_code_point(text.substr(at, size)))) {
      size += text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n' ? 1 : 0;
      add_part(lines, text.substr(begin, (keep_ends ? at + size : at) - begin));
      begin = at + size;
    }
    at += size;
  }
  if (begin < text.size()) {
    add_part(lines, text.substr(begin));
  }
  return lines;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to,
                    std::int64_t most) {
  TextWriter result("replace");
  std::size_t at = 0;
  for (std::int64_t done = 0; most < 0 || done < most; ++done) {
    charge_work(kItemWork / 2);
    // An empty pattern matches before every character and at the end.
    const std::size_t found = from.empty() ? at : find_first(text, from, at);
    if (found == std::string_view::npos) {
      break;
    }
    result.add(text.substr(at, found - at));
    result.add(to);
    at = found + from.size();
    if (from.empty()) {
      if (at == text.size()) {
        return result.take();
      }
      const std::size_t size = utf8_size(text[at]);
      result.add(text.substr(at, size));
      at += size;
    }
  }
  result.add(text.substr(at));
  return result.take();
}

std::string padded(std::string_view text, std::int64_t width, std::string_view fill, Side side) {
  const auto missing = static_cast<std::size_t>(
      std::max<std::int64_t>(width - static_cast<std::int64_t>(count_characters(text)), 0));
  // As in Python, an odd space goes to the left if the width is odd.
  const std::size_t left = side == Side::left    ? missing
                           : side == Side::right ? 0
                                                 : missing / 2 + (missing & width & 1);
  TextWriter result("padding");
  result.add(left, fill);
  result.add(text);
  result.add(missing - left, fill);
  return result.take();
}

SlicePlaces slice_places(std::size_t size, std::optional<std::int64_t> begin,
                         std::optional<std::int64_t> end, std::int64_t step) {
  if (step == 0) {
    fail("a slice's step is zero");
  }
  const auto count = static_cast<std::int64_t>(size);
  const std::int64_t lowest = step > 0 ? 0 : -1;
  const std::int64_t highest = step > 0 ? count : count - 1;
  const auto place = [&](std::optional<std::int64_t> given, std::int64_t absent) {
    if (!given) {
      return absent;
    }
    const std::int64_t from_start = *given < 0 ? std::max(*given, -count - 1) + count : *given;
    return std::clamp(from_start, lowest, highest);
  };
  const std::int64_t first = place(begin, step > 0 ? 0 : count - 1);
  const std::int64_t last = place(end, step > 0 ? count : -1);
  step = std::clamp<std::int64_t>(step, -count - 1, count + 1);
  const std::int64_t length = step > 0 ? last - first : first - last;
  const std::int64_t stride = std::abs(step);
  return {first, step,
          length > 0 ? static_cast<std::size_t>((length + stride - 1) / stride) : std::size_t{0}};
}

std::string slice(std::string_view text, std::optional<std::int64_t> begin,
                  std::optional<std::int64_t> end, std::int64_t step) {
  charge_work(text.size());
  const SlicePlaces places = slice_places(count_characters(text), begin, end, step);
  std::string result;
  if (places.count == 0) {
    return result;
  }
  charge_work(text.size());
  const auto skip = [&](std::size_t at, std::size_t characters) {
    for (std::size_t i = 0; i < characters; ++i) {
      at += utf8_size(text[at]);
    }
    return at;
  };
  std::size_t at = skip(0, places.at(0));
  if (places.step == 1) {
    return std::string(text.substr(at, skip(at, places.count) - at));
  }
  for (std::size_t done = 1;; ++done) {
    result += text.substr(at, utf8_size(text[at]));
    if (done == places.count) {
      return result;
    }
    for (std::int64_t i = 0; i < std::abs(places.step); ++i) {
      at = places.step > 0 ? at + utf8_size(text[at]) : previous_character(text, at);
    }
  }
}

}  // namespace lmpo::jinja
