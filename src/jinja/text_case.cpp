// Capitals and small letters, as Python changes them.
#include <utf8proc.h>

#include <algorithm>

#include "base/utf8.h"
#include "jinja/special_casing.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
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

// Characters that are skipped around a sigma (Unicode's Case_Ignorable).
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

// Whether text[begin, end) is the last letter of a word of several (Unicode's Final_Sigma).
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

// Appends in lower case. A sigma's form depends on its place in `text`, which holds the character.
void append_lower_of(std::string& result, std::string_view text, std::string_view character) {
  if (character == "\u03A3") {
    const auto at = static_cast<std::size_t>(character.data() - text.data());
    result += is_final(text, at, at + character.size()) ? "\u03C2" : "\u03C3";
  } else {
    append_lower(result, character);
  }
}

// A capital at the start and after separators, lower case elsewhere.
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

// Changes every character by `change`, or ASCII text by `change_ascii`, which is much faster.
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

}  // namespace

bool is_letter(std::string_view character) {
  const auto category = category_of(character);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
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

}  // namespace lmpo::jinja
