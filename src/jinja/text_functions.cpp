#include "jinja/text_functions.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>

#include "base/utf8.h"
#include "jinja/special_casing.h"
#include "jinja/value.h"

namespace lmpo::jinja {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

template <typename Each>
void for_characters(std::string_view text, const Each& each) {
  charge_work(text.size() * kCharacterWork);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_size(text[at]);
    each(text.substr(at, size));
    at += size;
  }
}

using Case = utf8proc_int32_t (*)(utf8proc_int32_t);

void append_changed(std::string& text, std::string_view character, std::string_view special,
                    Case change) {
  if (!special.empty()) {
    text += special;
    return;
  }
  append_utf8(text, static_cast<char32_t>(
                        change(static_cast<utf8proc_int32_t>(first_code_point(character)))));
}

void append_upper(std::string& text, std::string_view character) {
  append_changed(text, character, special_upper(first_code_point(character)), utf8proc_toupper);
}

void append_title(std::string& text, std::string_view character) {
  append_changed(text, character, special_title(first_code_point(character)), utf8proc_totitle);
}

void append_lower(std::string& text, std::string_view character) {
  constexpr char32_t kDottedCapital = 0x130;  // the one that becomes two
  append_changed(text, character, first_code_point(character) == kDottedCapital ? "i\u0307" : "",
                 utf8proc_tolower);
}

utf8proc_category_t category_of(std::string_view character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(first_code_point(character)));
}

bool is_cased(std::string_view character) {
  const auto category = category_of(character);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT;
}

// What does not end a word where sigma is asked whether it is the last letter.
bool is_case_ignorable(std::string_view character) {
  switch (category_of(character)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return std::string_view("'.:\u00B7\u2018\u2019").find(character) != std::string_view::npos;
  }
}

// The last letter of a word, of more than one.
bool is_final(std::string_view text, std::size_t begin, std::size_t end) {
  while (end < text.size() && is_case_ignorable(text.substr(end, utf8_size(text[end])))) {
    end += utf8_size(text[end]);
  }
  if (end < text.size() && is_cased(text.substr(end, utf8_size(text[end])))) {
    return false;
  }
  while (begin > 0) {
    const std::size_t before = previous_character(text, begin);
    const std::string_view character = text.substr(before, begin - before);
    if (!is_case_ignorable(character)) {
      return is_cased(character);
    }
    begin = before;
  }
  return false;
}

// In small letters; a sigma by its place in `text`, which the character is a part of.
void append_lower_of(std::string& result, std::string_view text, std::string_view character) {
  if (character == "\u03A3") {
    const auto at = static_cast<std::size_t>(character.data() - text.data());
    result += is_final(text, at, at + character.size()) ? "\u03C2" : "\u03C3";
  } else {
    append_lower(result, character);
  }
}

// A capital wherever the character before satisfies `separates`.
template <typename Separates>
std::string titled(std::string_view text, Separates separates,
                   void (*append_capital)(std::string&, std::string_view) = append_title) {
  std::string result;
  bool begins = true;
  for_characters(text, [&](std::string_view character) {
    begins ? append_capital(result, character) : append_lower_of(result, text, character);
    begins = separates(character);
  });
  return result;
}

// Every character by `change`; in ASCII by `change_ascii`, which is much faster.
template <typename Change, typename ChangeAscii>
std::string changed(std::string_view text, Change change, ChangeAscii change_ascii) {
  std::string result;
  if (is_ascii(text)) {
    charge_work(4 * text.size());
    result.resize(text.size());
    std::transform(text.begin(), text.end(), result.begin(), change_ascii);
    return result;
  }
  for_characters(text, [&](std::string_view character) { change(result, character); });
  return result;
}

char ascii_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

void add_part(std::vector<std::string>& parts, std::string_view part) {
  if (parts.size() >= kMostItems) {
    fail("split: more than {} parts", kMostItems);
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
      add_part(words, text.substr(at));  // with the white space of its far end, as in Python
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

bool is_letter(std::string_view character) {
  const auto category = category_of(character);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xC0') != '\x80'; }));
}

std::string upper(std::string_view text) {
  return changed(text, append_upper, ascii_upper);
}

std::string lower(std::string_view text) {
  return changed(
      text,
      [&](std::string& result, std::string_view character) {
        append_lower_of(result, text, character);
      },
      ascii_lower);
}

std::string swapcase(std::string_view text) {
  return changed(
      text,
      [&](std::string& result, std::string_view character) {
        category_of(character) == UTF8PROC_CATEGORY_LU ? append_lower_of(result, text, character)
                                                       : append_upper(result, character);
      },
      [](char c) { return c >= 'A' && c <= 'Z' ? ascii_lower(c) : ascii_upper(c); });
}

std::string capitalize(std::string_view text) {
  return titled(text, [](std::string_view) { return false; });
}

std::string title_letters(std::string_view text) {
  return titled(text, [](std::string_view character) { return !is_letter(character); });
}

std::string title_words(std::string_view text) {
  return titled(
      text,
      [](std::string_view character) {
        return is_python_space(character) ||
               std::string_view("-({[<").find(character[0]) != std::string_view::npos;
      },
      append_upper);
}

// Parts up to this size are searched by std::string_view: no slower than this many times linear.
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
    // An empty pattern stands before every character and at the end.
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
  // Python puts what is odd on the left where the width is odd.
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
