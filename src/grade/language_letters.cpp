#include "grade/language_letters.h"

#include <utf8proc.h>

#include <array>
#include <string_view>

#include "grade/language_profiles.h"

namespace lmpo::grade {
namespace {

bool in(char32_t character, char32_t first, char32_t last) {
  return character >= first && character <= last;
}

// The letter with a tone mark of Vietnamese; 0 if there is none.
char32_t with_tone(char32_t letter, char32_t mark) {
  static constexpr std::u32string_view kLetters = U"AEIOUYaeiouyÂÊÔâêôĂăƠơƯư";
  struct Tone {
    char32_t mark;
    std::u32string_view letters;  // in the order of kLetters
  };
  static constexpr std::array<Tone, 5> kTones = {{
      {0x300, U"ÀÈÌÒÙỲàèìòùỳẦỀỒầềồẰằỜờỪừ"},
      {0x301, U"ÁÉÍÓÚÝáéíóúýẤẾỐấếốẮắỚớỨứ"},
      {0x303, U"ÃẼĨÕŨỸãẽĩõũỹẪỄỖẫễỗẴẵỠỡỮữ"},
      {0x309, U"ẢẺỈỎỦỶảẻỉỏủỷẨỂỔẩểổẲẳỞởỬử"},
      {0x323, U"ẠẸỊỌỤỴạẹịọụỵẬỆỘậệộẶặỢợỰự"},
  }};
  const std::size_t at = kLetters.find(letter);
  for (const Tone& tone : kTones) {
    if (tone.mark == mark && at != std::u32string_view::npos) {
      return tone.letters[at];
    }
  }
  return 0;
}

}  // namespace

std::u32string with_vietnamese_letters(const std::u32string& characters) {
  std::u32string result;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const char32_t whole =
        i + 1 < characters.size() ? with_tone(characters[i], characters[i + 1]) : 0;
    result += whole != 0 ? whole : characters[i];
    i += whole != 0 ? 1 : 0;
  }
  return result;
}

char32_t normal_letter(char32_t c) {
  if (c < 0x80) {
    return in(c, U'A', U'Z') || in(c, U'a', U'z') ? c : U' ';
  }
  if (c == 0xA0 || c == 0xAB || c == 0xB0 || c == 0xBB || in(c, 0x2000, 0x206F)) {
    return U' ';  // a hard space, guillemets, the sign of degrees, punctuation
  }
  switch (c) {
    case 0x219:  // Romanian s and t with a comma below: with a cedilla
      return 0x15F;
    case 0x21B:
      return 0x163;
    case 0x6CC:  // Persian yeh: Arabic yeh
      return 0x64A;
    default:
      break;
  }
  if (in(c, 0x1EA0, 0x1EFF)) {
    return 0x1EC3;  // letters of Vietnamese
  }
  if (in(c, 0x3040, 0x309F)) {
    return 0x3042;  // Hiragana
  }
  if (in(c, 0x30A0, 0x30FF)) {
    return 0x30A2;  // Katakana
  }
  if (in(c, 0x3100, 0x312F) || in(c, 0x31A0, 0x31BF)) {
    return 0x3105;  // Bopomofo
  }
  if (in(c, 0x4E00, 0x9FFF)) {
    return LanguageProfiles::get().normal(c);
  }
  return in(c, 0xAC00, 0xD7AF) ? char32_t{0xAC00} : c;  // Hangul
}

bool is_capital(char32_t c) {
  // Roman numerals and letters in circles, squares and brackets are capitals that are no letters.
  return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_LU ||
         in(c, 0x2160, 0x216F) || in(c, 0x24B6, 0x24CF) || in(c, 0x1F130, 0x1F149) ||
         in(c, 0x1F150, 0x1F169) || in(c, 0x1F170, 0x1F189);
}

}  // namespace lmpo::grade
