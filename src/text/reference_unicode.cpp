#include "text/reference_unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/utf8.h"

namespace lmpo {
namespace {

constexpr char32_t kAsciiEnd = 0x80;

struct CharacterRange {
  char32_t first, last;
};

// All lists are in order; made by tools/oracle/reference_unicode.py.
constexpr auto kAlone = std::to_array<CharacterRange>(
    {{0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},
     {0xC3C, 0xC3C},     {0xD3B, 0xD3C},     {0xEBA, 0xEBA},     {0x11A7, 0x11A7},
     {0x1715, 0x1715},   {0x1ABF, 0x1ACE},   {0x1DF6, 0x1DFA},   {0x32FF, 0x32FF},
     {0xA7F2, 0xA7F4},   {0xA82C, 0xA82C},   {0xAB69, 0xAB69},   {0x10781, 0x10785},
     {0x10787, 0x107B0}, {0x107B2, 0x107BA}, {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC},
     {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070},
     {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x11839, 0x1183A}, {0x11930, 0x11930},
     {0x11938, 0x11938}, {0x1193D, 0x1193E}, {0x11943, 0x11943}, {0x119E0, 0x119E0},
     {0x11A34, 0x11A34}, {0x11A47, 0x11A47}, {0x11A99, 0x11A99}, {0x11D42, 0x11D42},
     {0x11D44, 0x11D45}, {0x11D97, 0x11D97}, {0x11F41, 0x11F42}, {0x16FF0, 0x16FF1},
     {0x1E030, 0x1E06D}, {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE},
     {0x1E2EC, 0x1E2EF}, {0x1E4EC, 0x1E4EF}, {0x1F16C, 0x1F16C}, {0x1FBF0, 0x1FBF9}});

// Characters that belong to a category here or for utf8proc, but not for both.
constexpr auto kMarks = std::to_array<CharacterRange>(
    {{0x7FD, 0x7FD},     {0x898, 0x89F},     {0x8CA, 0x8D3},     {0x9FE, 0x9FE},
     {0xAFA, 0xAFF},     {0xB55, 0xB55},     {0xC04, 0xC04},     {0xC3C, 0xC3C},
     {0xCF3, 0xCF3},     {0xD00, 0xD00},     {0xD3B, 0xD3C},     {0xD81, 0xD81},
     {0xEBA, 0xEBA},     {0xECE, 0xECE},     {0x1715, 0x1715},   {0x180F, 0x180F},
     {0x1ABF, 0x1ACE},   {0x1CF2, 0x1CF3},   {0x1CF7, 0x1CF7},   {0x1DF6, 0x1DFA},
     {0xA82C, 0xA82C},   {0xA8FF, 0xA8FF},   {0x10D24, 0x10D27}, {0x10EAB, 0x10EAC},
     {0x10EFD, 0x10EFF}, {0x10F46, 0x10F50}, {0x10F82, 0x10F85}, {0x11070, 0x11070},
     {0x11073, 0x11074}, {0x110C2, 0x110C2}, {0x11145, 0x11146}, {0x111C9, 0x111C9},
     {0x111CE, 0x111CF}, {0x11241, 0x11241}, {0x1133B, 0x1133B}, {0x1145E, 0x1145E},
     {0x1182C, 0x1183A}, {0x11930, 0x11935}, {0x11937, 0x11938}, {0x1193B, 0x1193E},
     {0x11940, 0x11940}, {0x11942, 0x11943}, {0x119D1, 0x119D7}, {0x119DA, 0x119E0},
     {0x119E4, 0x119E4}, {0x11A01, 0x11A0A}, {0x11A33, 0x11A39}, {0x11A3B, 0x11A3E},
     {0x11A47, 0x11A47}, {0x11A51, 0x11A5B}, {0x11A8A, 0x11A99}, {0x11D31, 0x11D36},
     {0x11D3A, 0x11D3A}, {0x11D3C, 0x11D3D}, {0x11D3F, 0x11D45}, {0x11D47, 0x11D47},
     {0x11D8A, 0x11D8E}, {0x11D90, 0x11D91}, {0x11D93, 0x11D97}, {0x11EF3, 0x11EF6},
     {0x11F00, 0x11F01}, {0x11F03, 0x11F03}, {0x11F34, 0x11F3A}, {0x11F3E, 0x11F42},
     {0x13440, 0x13440}, {0x13447, 0x13455}, {0x16F4F, 0x16F4F}, {0x16F7F, 0x16F87},
     {0x16FE4, 0x16FE4}, {0x16FF0, 0x16FF1}, {0x1CF00, 0x1CF2D}, {0x1CF30, 0x1CF46},
     {0x1E08F, 0x1E08F}, {0x1E130, 0x1E136}, {0x1E2AE, 0x1E2AE}, {0x1E2EC, 0x1E2EF},
     {0x1E4EC, 0x1E4EF}});
constexpr auto kPunctuation = std::to_array<CharacterRange>(
    {{0x61D, 0x61D},     {0x9FD, 0x9FD},     {0xA76, 0xA76},     {0xC77, 0xC77},
     {0xC84, 0xC84},     {0x166D, 0x166D},   {0x1B7D, 0x1B7E},   {0x2E43, 0x2E4F},
     {0x2E52, 0x2E5D},   {0x10EAD, 0x10EAD}, {0x10F55, 0x10F59}, {0x10F86, 0x10F89},
     {0x111C9, 0x111C9}, {0x1144B, 0x1144F}, {0x1145A, 0x1145B}, {0x1145D, 0x1145D},
     {0x11660, 0x1166C}, {0x116B9, 0x116B9}, {0x1183B, 0x1183B}, {0x11944, 0x11946},
     {0x119E2, 0x119E2}, {0x11A3F, 0x11A46}, {0x11A9A, 0x11A9C}, {0x11A9E, 0x11AA2},
     {0x11B00, 0x11B09}, {0x11C41, 0x11C45}, {0x11C70, 0x11C71}, {0x11EF7, 0x11EF8},
     {0x11F43, 0x11F4F}, {0x11FFF, 0x11FFF}, {0x12FF1, 0x12FF2}, {0x16E97, 0x16E9A},
     {0x16FE2, 0x16FE2}, {0x1E95E, 0x1E95F}});
constexpr auto kNumbers = std::to_array<CharacterRange>({{0x10D40, 0x10D49},
                                                         {0x116D0, 0x116E3},
                                                         {0x11BF0, 0x11BF9},
                                                         {0x11DE0, 0x11DE9},
                                                         {0x16130, 0x16139},
                                                         {0x16D70, 0x16D79},
                                                         {0x16FF4, 0x16FF6},
                                                         {0x1CCF0, 0x1CCF9},
                                                         {0x1E5F1, 0x1E5FA}});

// Lower cases, of the first character of a range and on from there.
struct LowerCases {
  char32_t first, last, lower;
};
constexpr auto kLowerCases = std::to_array<LowerCases>({{0x1C89, 0x1C89, 0x1C8A},
                                                        {0xA7CB, 0xA7CB, 0x264},
                                                        {0xA7CC, 0xA7CC, 0xA7CD},
                                                        {0xA7CE, 0xA7CE, 0xA7CF},
                                                        {0xA7D2, 0xA7D2, 0xA7D3},
                                                        {0xA7D4, 0xA7D4, 0xA7D5},
                                                        {0xA7DA, 0xA7DA, 0xA7DB},
                                                        {0xA7DC, 0xA7DC, 0x19B},
                                                        {0x10D50, 0x10D65, 0x10D70},
                                                        {0x16EA0, 0x16EB8, 0x16EBB}});

// The range of a list that holds the character, or null.
template <typename List>
const typename List::value_type* range_of(const List& list, char32_t character) {
  const auto range = std::partition_point(list.begin(), list.end(),
                                          [&](const auto& each) { return each.last < character; });
  return range != list.end() && range->first <= character ? &*range : nullptr;
}

bool has_category(char32_t character, char category) {
  return utf8proc_category_string(static_cast<utf8proc_int32_t>(character))[0] == category;
}

}  // namespace

bool normalizes_alone(char32_t character) {
  return range_of(kAlone, character) != nullptr;
}

bool is_combining_mark(char32_t character) {
  return character >= kAsciiEnd &&
         has_category(character, 'M') != (range_of(kMarks, character) != nullptr);
}

bool is_punctuation(char32_t character) {
  if (character < kAsciiEnd) {
    return std::ispunct(static_cast<int>(character)) != 0;
  }
  return has_category(character, 'P') != (range_of(kPunctuation, character) != nullptr);
}

bool is_number(char32_t character) {
  if (character < kAsciiEnd) {
    return character >= '0' && character <= '9';
  }
  return has_category(character, 'N') != (range_of(kNumbers, character) != nullptr);
}

void append_lower_case(std::string& text, char32_t character) {
  constexpr char32_t kDottedCapitalI = 0x130;
  if (character < kAsciiEnd) {
    const bool is_capital = character >= 'A' && character <= 'Z';
    text += static_cast<char>(is_capital ? character - 'A' + 'a' : character);
  } else if (character == kDottedCapitalI) {
    text += "i\u0307";
  } else if (const LowerCases* range = range_of(kLowerCases, character)) {
    append_utf8(text, range->lower + (character - range->first));
  } else {
    append_utf8(text,
                static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(character))));
  }
}

}  // namespace lmpo
