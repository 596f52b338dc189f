#include "jinja/text_functions.h"

#include <utf8proc.h>

#include <algorithm>

#include "base/utf8.h"
#include "jinja/value.h"

namespace lmpo::jinja {
namespace {

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_size(text[at]);
    result.push_back(text.substr(at, size));
    at += size;
  }
  return result;
}

bool is_python_space(std::string_view character) {
  const char32_t point = first_code_point(character);
  return is_white_space(point) || (point >= 0x1C && point <= 0x1F);
}

bool is_letter(std::string_view character) {
  const auto category =
      utf8proc_category(static_cast<utf8proc_int32_t>(first_code_point(character)));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

void append_upper(std::string& text, std::string_view character) {
  append_utf8(text, static_cast<char32_t>(utf8proc_toupper(
                        static_cast<utf8proc_int32_t>(first_code_point(character)))));
}

void append_lower(std::string& text, std::string_view character) {
  append_utf8(text, static_cast<char32_t>(utf8proc_tolower(
                        static_cast<utf8proc_int32_t>(first_code_point(character)))));
}

// A capital wherever the character before satisfies `separates`.
template <typename Separates>
std::string titled(std::string_view text, Separates separates) {
  std::string result;
  bool begins = true;
  for (const std::string_view character : characters(text)) {
    (begins ? append_upper : append_lower)(result, character);
    begins = separates(character);
  }
  return result;
}

std::vector<std::string> split_at_space(std::string_view text, std::int64_t most, bool from_right) {
  const auto all = characters(text);
  std::vector<std::string> words;
  // Walks over the text from one side; a word after the last split keeps its inner white space.
  std::int64_t begin = 0;
  std::int64_t end = std::ssize(all);
  const auto space_at = [&](std::int64_t i) {
    return is_python_space(all[static_cast<std::size_t>(i)]);
  };
  const auto word = [&](std::int64_t from, std::int64_t to) {
    const char* first = all[static_cast<std::size_t>(from)].data();
    const std::string_view last = all[static_cast<std::size_t>(to - 1)];
    words.emplace_back(first, last.data() + last.size());
  };
  while (true) {
    while (begin < end && space_at(begin)) {
      ++begin;
    }
    while (begin < end && space_at(end - 1)) {
      --end;
    }
    if (begin == end) {
      break;
    }
    if (most >= 0 && std::ssize(words) >= most) {
      // Only the outer side is stripped in Python: the rest keeps the white space of the far end.
      if (from_right) {
        word(0, end);
        std::string& rest = words.back();
        rest = strip(rest, std::nullopt, false, true);
      } else {
        word(begin, std::ssize(all));
      }
      break;
    }
    if (from_right) {
      std::int64_t first = end;
      while (first > begin && !space_at(first - 1)) {
        --first;
      }
      word(first, end);
      end = first;
    } else {
      std::int64_t last = begin;
      while (last < end && !space_at(last)) {
        ++last;
      }
      word(begin, last);
      begin = last;
    }
  }
  if (from_right) {
    std::reverse(words.begin(), words.end());
  }
  return words;
}

}  // namespace

std::string upper(std::string_view text) {
  std::string result;
  for (const std::string_view character : characters(text)) {
    append_upper(result, character);
  }
  return result;
}

std::string lower(std::string_view text) {
  std::string result;
  for (const std::string_view character : characters(text)) {
    append_lower(result, character);
  }
  return result;
}

std::string capitalize(std::string_view text) {
  return titled(text, [](std::string_view) { return false; });
}

std::string title_letters(std::string_view text) {
  return titled(text, [](std::string_view character) { return !is_letter(character); });
}

std::string title_words(std::string_view text) {
  return titled(text, [](std::string_view character) {
    return is_python_space(character) ||
           std::string_view("-({[<").find(character[0]) != std::string_view::npos;
  });
}

std::string strip(std::string_view text, const std::optional<std::string>& set, bool left,
                  bool right) {
  const auto goes = [&](std::string_view character) {
    return set ? set->find(character) != std::string::npos : is_python_space(character);
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
  return std::string(text.substr(begin, end - begin));
}

std::vector<std::string> split(std::string_view text, const std::optional<std::string>& separator,
                               std::int64_t most, bool from_right) {
  if (!separator) {
    return split_at_space(text, most, from_right);
  }
  if (separator->empty()) {
    fail("split: the separator is empty");
  }
  std::vector<std::string> parts;
  while (most < 0 || std::ssize(parts) < most) {
    const std::size_t at = from_right ? text.rfind(*separator) : text.find(*separator);
    if (at == std::string_view::npos) {
      break;
    }
    const std::string_view before = text.substr(0, at);
    const std::string_view after = text.substr(at + separator->size());
    parts.emplace_back(from_right ? after : before);
    text = from_right ? before : after;
  }
  parts.emplace_back(text);
  if (from_right) {
    std::reverse(parts.begin(), parts.end());
  }
  return parts;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  const auto is_break = [](char32_t point) {
    return (point >= 0x0A && point <= 0x0D) || (point >= 0x1C && point <= 0x1E) || point == 0x85 ||
           point == 0x2028 || point == 0x2029;
  };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = utf8_size(text[at]);
    if (is_break(first_code_point(text.substr(at, size)))) {
      lines.emplace_back(text.substr(begin, at - begin));
      size += text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n' ? 1 : 0;
      begin = at + size;
    }
    at += size;
  }
  if (begin < text.size()) {
    lines.emplace_back(text.substr(begin));
  }
  return lines;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to,
                    std::int64_t most) {
  std::string result;
  std::size_t at = 0;
  const auto put = [&](std::string_view part) {
    result += part;
    if (result.size() > kMostBytes) {
      fail("replace: the result is too long");
    }
  };
  for (std::int64_t done = 0; most < 0 || done < most; ++done) {
    // An empty pattern stands before every character and at the end.
    const std::size_t found = from.empty() ? at : text.find(from, at);
    if (found == std::string_view::npos || found > text.size()) {
      break;
    }
    put(text.substr(at, found - at));
    put(to);
    at = found + from.size();
    if (from.empty()) {
      if (at == text.size()) {
        return result;
      }
      const std::size_t size = utf8_size(text[at]);
      put(text.substr(at, size));
      at += size;
    }
  }
  put(text.substr(at));
  return result;
}

std::vector<std::size_t> slice_places(std::size_t size, std::optional<std::int64_t> begin,
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
  std::vector<std::size_t> places;
  step = std::clamp<std::int64_t>(step, -count - 1, count + 1);
  for (std::int64_t i = first; step > 0 ? i < last : i > last; i += step) {
    places.push_back(static_cast<std::size_t>(i));
  }
  return places;
}

std::string slice(std::string_view text, std::optional<std::int64_t> begin,
                  std::optional<std::int64_t> end, std::int64_t step) {
  const auto all = characters(text);
  std::string result;
  for (const std::size_t place : slice_places(all.size(), begin, end, step)) {
    result += all[place];
  }
  return result;
}

}  // namespace lmpo::jinja
