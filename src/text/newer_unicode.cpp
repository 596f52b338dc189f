#include "text/newer_unicode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>

#include "base/utf8.h"

namespace lmpo {
namespace {

struct Range {
  char32_t first, last;
  // The general category, and the script; "" for scripts that are themselves newer.
  std::string_view category, script;
};

// In order; made by tools/oracle/newer_unicode.py.
constexpr auto ranges = std::to_array<Range>({{0x897, 0x897, "Mn", "Arabic"},
                                              {0xCF3, 0xCF3, "Mc", "Kannada"},
                                              {0xECE, 0xECE, "Mn", "Lao"},
                                              {0x1B4E, 0x1B4F, "Po", "Balinese"},
                                              {0x1B7F, 0x1B7F, "Po", "Balinese"},
                                              {0x1C89, 0x1C89, "Lu", "Cyrillic"},
                                              {0x1C8A, 0x1C8A, "Ll", "Cyrillic"},
                                              {0x2427, 0x2429, "So", "Common"},
                                              {0x2FFC, 0x2FFF, "So", "Common"},
                                              {0x31E4, 0x31E5, "So", "Common"},
                                              {0x31EF, 0x31EF, "So", "Common"},
                                              {0xA7CB, 0xA7CC, "Lu", "Latin"},
                                              {0xA7CD, 0xA7CD, "Ll", "Latin"},
                                              {0xA7DA, 0xA7DA, "Lu", "Latin"},
                                              {0xA7DB, 0xA7DB, "Ll", "Latin"},
                                              {0xA7DC, 0xA7DC, "Lu", "Latin"},
                                              {0x105C0, 0x105F3, "Lo", ""},
                                              {0x10D40, 0x10D49, "Nd", ""},
                                              {0x10D4A, 0x10D4D, "Lo", ""},
                                              {0x10D4E, 0x10D4E, "Lm", ""},
                                              {0x10D4F, 0x10D4F, "Lo", ""},
                                              {0x10D50, 0x10D65, "Lu", ""},
                                              {0x10D69, 0x10D6D, "Mn", ""},
                                              {0x10D6E, 0x10D6E, "Pd", ""},
                                              {0x10D6F, 0x10D6F, "Lm", ""},
                                              {0x10D70, 0x10D85, "Ll", ""},
                                              {0x10D8E, 0x10D8F, "Sm", ""},
                                              {0x10EC2, 0x10EC4, "Lo", "Arabic"},
                                              {0x10EFC, 0x10EFF, "Mn", "Arabic"},
                                              {0x1123F, 0x11240, "Lo", "Khojki"},
                                              {0x11241, 0x11241, "Mn", "Khojki"},
                                              {0x11380, 0x11389, "Lo", ""},
                                              {0x1138B, 0x1138B, "Lo", ""},
                                              {0x1138E, 0x1138E, "Lo", ""},
                                              {0x11390, 0x113B5, "Lo", ""},
                                              {0x113B7, 0x113B7, "Lo", ""},
                                              {0x113B8, 0x113BA, "Mc", ""},
                                              {0x113BB, 0x113C0, "Mn", ""},
                                              {0x113C2, 0x113C2, "Mc", ""},
                                              {0x113C5, 0x113C5, "Mc", ""},
                                              {0x113C7, 0x113CA, "Mc", ""},
                                              {0x113CC, 0x113CD, "Mc", ""},
                                              {0x113CE, 0x113CE, "Mn", ""},
                                              {0x113CF, 0x113CF, "Mc", ""},
                                              {0x113D0, 0x113D0, "Mn", ""},
                                              {0x113D1, 0x113D1, "Lo", ""},
                                              {0x113D2, 0x113D2, "Mn", ""},
                                              {0x113D3, 0x113D3, "Lo", ""},
                                              {0x113D4, 0x113D5, "Po", ""},
                                              {0x113D7, 0x113D8, "Po", ""},
                                              {0x113E1, 0x113E2, "Mn", ""},
                                              {0x116D0, 0x116E3, "Nd", "Myanmar"},
                                              {0x11B00, 0x11B09, "Po", "Devanagari"},
                                              {0x11BC0, 0x11BE0, "Lo", ""},
                                              {0x11BE1, 0x11BE1, "Po", ""},
                                              {0x11BF0, 0x11BF9, "Nd", ""},
                                              {0x11F00, 0x11F01, "Mn", ""},
                                              {0x11F02, 0x11F02, "Lo", ""},
                                              {0x11F03, 0x11F03, "Mc", ""},
                                              {0x11F04, 0x11F10, "Lo", ""},
                                              {0x11F12, 0x11F33, "Lo", ""},
                                              {0x11F34, 0x11F35, "Mc", ""},
                                              {0x11F36, 0x11F3A, "Mn", ""},
                                              {0x11F3E, 0x11F3F, "Mc", ""},
                                              {0x11F40, 0x11F40, "Mn", ""},
                                              {0x11F41, 0x11F41, "Mc", ""},
                                              {0x11F42, 0x11F42, "Mn", ""},
                                              {0x11F43, 0x11F4F, "Po", ""},
                                              {0x11F50, 0x11F59, "Nd", ""},
                                              {0x11F5A, 0x11F5A, "Mn", ""},
                                              {0x1342F, 0x1342F, "Lo", "Egyptian_Hieroglyphs"},
                                              {0x13439, 0x1343F, "Cf", "Egyptian_Hieroglyphs"},
                                              {0x13440, 0x13440, "Mn", "Egyptian_Hieroglyphs"},
                                              {0x13441, 0x13446, "Lo", "Egyptian_Hieroglyphs"},
                                              {0x13447, 0x13455, "Mn", "Egyptian_Hieroglyphs"},
                                              {0x13460, 0x143FA, "Lo", "Egyptian_Hieroglyphs"},
                                              {0x16100, 0x1611D, "Lo", ""},
                                              {0x1611E, 0x16129, "Mn", ""},
                                              {0x1612A, 0x1612C, "Mc", ""},
                                              {0x1612D, 0x1612F, "Mn", ""},
                                              {0x16130, 0x16139, "Nd", ""},
                                              {0x16D40, 0x16D42, "Lm", ""},
                                              {0x16D43, 0x16D6A, "Lo", ""},
                                              {0x16D6B, 0x16D6C, "Lm", ""},
                                              {0x16D6D, 0x16D6F, "Po", ""},
                                              {0x16D70, 0x16D79, "Nd", ""},
                                              {0x18CFF, 0x18CFF, "Lo", "Khitan_Small_Script"},
                                              {0x1B132, 0x1B132, "Lo", "Hiragana"},
                                              {0x1B155, 0x1B155, "Lo", "Katakana"},
                                              {0x1CC00, 0x1CCEF, "So", "Common"},
                                              {0x1CCF0, 0x1CCF9, "Nd", "Common"},
                                              {0x1CD00, 0x1CEB3, "So", "Common"},
                                              {0x1D2C0, 0x1D2D3, "No", "Common"},
                                              {0x1DF25, 0x1DF2A, "Ll", "Latin"},
                                              {0x1E030, 0x1E06D, "Lm", "Cyrillic"},
                                              {0x1E08F, 0x1E08F, "Mn", "Cyrillic"},
                                              {0x1E4D0, 0x1E4EA, "Lo", ""},
                                              {0x1E4EB, 0x1E4EB, "Lm", ""},
                                              {0x1E4EC, 0x1E4EF, "Mn", ""},
                                              {0x1E4F0, 0x1E4F9, "Nd", ""},
                                              {0x1E5D0, 0x1E5ED, "Lo", ""},
                                              {0x1E5EE, 0x1E5EF, "Mn", ""},
                                              {0x1E5F0, 0x1E5F0, "Lo", ""},
                                              {0x1E5F1, 0x1E5FA, "Nd", ""},
                                              {0x1E5FF, 0x1E5FF, "Po", ""},
                                              {0x1F6DC, 0x1F6DC, "So", "Common"},
                                              {0x1F774, 0x1F776, "So", "Common"},
                                              {0x1F77B, 0x1F77F, "So", "Common"},
                                              {0x1F7D9, 0x1F7D9, "So", "Common"},
                                              {0x1F8B2, 0x1F8BB, "So", "Common"},
                                              {0x1F8C0, 0x1F8C1, "So", "Common"},
                                              {0x1FA75, 0x1FA77, "So", "Common"},
                                              {0x1FA87, 0x1FA89, "So", "Common"},
                                              {0x1FA8F, 0x1FA8F, "So", "Common"},
                                              {0x1FAAD, 0x1FAAF, "So", "Common"},
                                              {0x1FABB, 0x1FABF, "So", "Common"},
                                              {0x1FAC6, 0x1FAC6, "So", "Common"},
                                              {0x1FACE, 0x1FACF, "So", "Common"},
                                              {0x1FADA, 0x1FADC, "So", "Common"},
                                              {0x1FADF, 0x1FADF, "So", "Common"},
                                              {0x1FAE8, 0x1FAE9, "So", "Common"},
                                              {0x1FAF7, 0x1FAF8, "So", "Common"},
                                              {0x1FBCB, 0x1FBEF, "So", "Common"},
                                              {0x2B739, 0x2B739, "Lo", "Han"},
                                              {0x2EBF0, 0x2EE5D, "Lo", "Han"},
                                              {0x31350, 0x323AF, "Lo", "Han"}});

// Blocks of 256 code points with a newer character.
std::bitset<0x1100> newer_blocks() {
  std::bitset<0x1100> blocks;
  for (const Range& range : ranges) {
    for (char32_t block = range.first >> 8; block <= range.last >> 8; ++block) {
      blocks.set(block);
    }
  }
  return blocks;
}

bool is_newer(char32_t character) {
  static const auto blocks = newer_blocks();
  if (!blocks.test(character >> 8)) {
    return false;
  }
  const auto range = std::partition_point(ranges.begin(), ranges.end(),
                                          [&](const Range& each) { return each.last < character; });
  return range != ranges.end() && range->first <= character;
}

// The newer characters of a property, as members of a class; "" for a property without any.
std::string members_of(std::string_view property) {
  // Of the newer alphabetic characters some are marks; patterns that name both properties have
  // them.
  const std::string_view category = property == "Alphabetic" ? "L" : property;
  const std::string_view script =
      property.starts_with("sc:") ? property.substr(std::string_view("sc:").size()) : property;
  std::string members;
  if (!property.empty() && !property.starts_with('C')) {
    for (const Range& range : ranges) {
      if (range.category.starts_with(category) || range.script == script) {
        members += fmt::format("\\x{{{:X}}}-\\x{{{:X}}}", static_cast<unsigned>(range.first),
                               static_cast<unsigned>(range.last));
      }
    }
  }
  return members;
}

// An escape that stands for several characters, with the newer ones as well. Outside of a class it
// stays what it is where case is ignored: a class would be folded.
std::string widened(std::string_view escape, std::string_view positive, bool negated,
                    const std::string& members, bool in_class) {
  if (members.empty() || (in_class && negated)) {
    return std::string(escape);
  }
  const std::string all = std::string(positive) + members;
  return in_class ? all : fmt::format("(?-i:[{}{}])", negated ? "^" : "", all);
}

// \p{...}, \p{^...} or \P{...} as it is to stand in the pattern.
std::string property_escape(std::string_view escape, bool in_class) {
  std::string_view name = escape.substr(3, escape.size() - 4);
  bool negated = escape[1] == 'P';
  if (name.starts_with('^')) {
    name.remove_prefix(1);
    negated = !negated;
  }
  return widened(escape, fmt::format("\\p{{{}}}", name), negated, members_of(name), in_class);
}

// \w, \W, \d or \D.
std::string word_or_digit_escape(std::string_view escape, bool in_class) {
  const char letter = static_cast<char>(escape[1] | 0x20);
  std::string members;
  for (const std::string_view category : {"L", "M", "Pc", "Nd"}) {
    if (letter == 'w' || category == "Nd") {
      members += members_of(category);
    }
  }
  return widened(escape, letter == 'w' ? "\\w" : "\\d", escape[1] != letter, members, in_class);
}

}  // namespace

bool has_newer_character(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_size(text[at]);
    // None of them lies below U+0800.
    if (size > 2 && is_newer(first_code_point(text.substr(at, size)))) {
      return true;
    }
    at += size;
  }
  return false;
}

std::string with_newer_characters(std::string_view pattern) {
  std::string result;
  int depth = 0;  // of classes
  for (std::size_t at = 0; at < pattern.size();) {
    std::size_t length = 1;
    if (pattern[at] == '\\' && at + 1 < pattern.size()) {
      length = 2;
      const char letter = static_cast<char>(pattern[at + 1] | 0x20);
      const std::size_t close = pattern.find('}', at);
      if (letter == 'p' && pattern.substr(at + 2, 1) == "{" && close != std::string_view::npos) {
        length = close + 1 - at;
        result += property_escape(pattern.substr(at, length), depth > 0);
      } else if (letter == 'w' || letter == 'd') {
        result += word_or_digit_escape(pattern.substr(at, length), depth > 0);
      } else {
        result += pattern.substr(at, length);
      }
      at += length;
      continue;
    }
    if (pattern[at] == '[') {
      ++depth;
      // A bracket that comes first is a member.
      length += pattern.substr(at + length).starts_with('^') ? 1 : 0;
      length += pattern.substr(at + length).starts_with(']') ? 1 : 0;
    } else if (pattern[at] == ']' && depth > 0) {
      --depth;
    }
    result += pattern.substr(at, length);
    at += length;
  }
  return result;
}

}  // namespace lmpo
