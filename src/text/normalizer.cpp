#include "text/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "text/byte_level.h"
#include "text/characters.h"
#include "text/pattern.h"
#include "text/precompiled.h"
#include "text/reference_unicode.h"

namespace lmpo {
namespace {

Normalizer read_prepend(const JsonPart& part) {
  return [prefix = part.required<std::string>("prepend"),
          where = part.where()](NormalizedText& normalized) {
    if (!normalized.text.empty()) {
      check_growth(normalized.text.size() + prefix.size(), normalized.longest, where);
      normalized.text.insert(0, prefix);
      normalized.head += normalized.head > 0 ? prefix.size() : 0;
    }
  };
}

// A replaced part comes from where the last byte of what it replaces came from.
std::size_t head_after(const std::vector<Span>& matches, std::size_t content, std::size_t head) {
  std::size_t result = head;
  for (const Span match : matches) {
    if (match.begin >= head && match.end > head) {
      break;
    }
    result -= std::min(match.end, head) - match.begin;
    result += match.end <= head ? content : 0;
  }
  return result;
}

Normalizer read_replace(const JsonPart& part) {
  return [pattern = read_pattern(part), content = part.required<std::string>("content"),
          where = part.where()](NormalizedText& normalized) {
    const auto matches = pattern(normalized.text);
    check_growth(replaced_size(normalized.text, matches, content), normalized.longest, where);
    if (normalized.head > 0) {
      normalized.head = head_after(matches, content.size(), normalized.head);
    }
    normalized.text = replace_all(normalized.text, matches, content);
  };
}

std::string map_part(std::string_view text, utf8proc_option_t options) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &mapped, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, std::free);
  if (size < 0) {
    machine_error("Unicode normalization failed: {}", utf8proc_errmsg(size));
  }
  return std::string(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
}

// Normalizes the parts between the characters that the reference keeps apart.
std::string map_unicode(std::string_view text, utf8proc_option_t options) {
  std::string mapped;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = utf8_size(text[at]);
    if (size > 1 && normalizes_alone(first_code_point(text.substr(at, size)))) {
      mapped += map_part(text.substr(begin, at - begin), options);
      mapped += text.substr(at, size);
      begin = at + size;
    }
    at += size;
  }
  return mapped + map_part(text.substr(begin), options);
}

// One of the normalization forms of Unicode Standard Annex 15.
Normalizer unicode_form(int options) {
  const auto option = static_cast<utf8proc_option_t>(options | UTF8PROC_STABLE);
  return [option](NormalizedText& normalized) {
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(normalized.text.begin(), normalized.text.end(), is_ascii)) {
      return;
    }
    const std::string head =
        map_unicode(std::string_view(normalized.text).substr(0, normalized.head), option);
    normalized.text = map_unicode(normalized.text, option);
    normalized.head = std::min(head.size(), normalized.text.size());
  };
}

// Writes every character anew: `write` appends what stands for it.
template <typename Write>
Normalizer each_character(const Write& write) {
  return [write](NormalizedText& normalized) {
    std::string out;
    out.reserve(normalized.text.size());
    std::size_t head = 0;
    for (std::size_t at = 0; at < normalized.text.size();) {
      const std::size_t size = utf8_size(normalized.text[at]);
      write(std::string_view(normalized.text).substr(at, size), out);
      at += size;
      head = at <= normalized.head ? out.size() : head;
    }
    normalized.text = std::move(out);
    normalized.head = head;
  };
}

Normalizer lower_case_normalizer() {
  return each_character([](std::string_view character, std::string& out) {
    append_lower_case(out, first_code_point(character));
  });
}

Normalizer accent_stripper() {
  return each_character([](std::string_view character, std::string& out) {
    out += is_combining_mark(first_code_point(character)) ? "" : character;
  });
}

Normalizer byte_level_normalizer() {
  return each_character(
      [](std::string_view character, std::string& out) { append_stand_ins(character, out); });
}

// sentencepiece's rules for machine translation: control characters vanish, and what is white space
// or nearly so becomes a space.
Normalizer nmt_normalizer() {
  return each_character([](std::string_view character, std::string& out) {
    const char32_t c = first_code_point(character);
    const bool is_space = (c >= 0x9 && c <= 0xD && c != 0xB) || c == 0x1680 ||
                          (c >= 0x200B && c <= 0x200F) || c == 0x2028 || c == 0x2029 ||
                          c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
    const bool is_control = (c >= 0x1 && c < 0x20) || c == 0x7F || c == 0x8F || c == 0x9F;
    out += is_space ? " " : is_control ? "" : character;
  });
}

Normalizer read_strip_ends(const JsonPart& part) {
  return [left = part.required<bool>("strip_left"),
          right = part.required<bool>("strip_right")](NormalizedText& normalized) {
    std::string& text = normalized.text;
    if (right) {
      text.resize(white_space_begin(text, text.size()));
    }
    if (left) {
      const std::size_t begin = white_space_end(text, 0);
      text.erase(0, begin);
      normalized.head -= std::min(normalized.head, begin);
    }
    normalized.head = std::min(normalized.head, text.size());
  };
}

Normalizer read_normalizer_sequence(const JsonPart& part) {
  std::vector<Normalizer> steps;
  for (const JsonPart& step : part.child("normalizers").elements()) {
    steps.push_back(read_normalizer(step));
  }
  return [steps = std::move(steps), where = part.where()](NormalizedText& normalized) {
    for (const Normalizer& step : steps) {
      step(normalized);
      check_growth(normalized.text.size(), normalized.longest, where);
    }
  };
}

}  // namespace

std::size_t longest_result(std::size_t size) {
  constexpr std::size_t kGrowth = 64;
  constexpr std::size_t kSmall = std::size_t{64} << 10;
  constexpr std::size_t kMost = std::size_t{1} << 30;
  return std::min(kGrowth * size + kSmall, kMost);
}

void check_growth(std::size_t size, std::size_t longest, const std::string& where) {
  if (size > longest) {
    user_error("{}: the text becomes too long: {} bytes, the limit is {}. Check its 'content'",
               where, size, longest);
  }
}

Normalizer read_normalizer(const JsonPart& part) {
  static const std::map<std::string, Normalizer (*)(const JsonPart&)> known = {
      {"ByteLevel", [](const JsonPart&) { return byte_level_normalizer(); }},
      {"Lowercase", [](const JsonPart&) { return lower_case_normalizer(); }},
      {"NFC", [](const JsonPart&) { return unicode_form(UTF8PROC_COMPOSE); }},
      {"NFD", [](const JsonPart&) { return unicode_form(UTF8PROC_DECOMPOSE); }},
      {"NFKC", [](const JsonPart&) { return unicode_form(UTF8PROC_COMPOSE | UTF8PROC_COMPAT); }},
      {"NFKD", [](const JsonPart&) { return unicode_form(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT); }},
      {"Nmt", [](const JsonPart&) { return nmt_normalizer(); }},
      {"Precompiled", read_precompiled},
      {"Prepend", read_prepend},
      {"Replace", read_replace},
      {"Sequence", read_normalizer_sequence},
      {"Strip", read_strip_ends},
      {"StripAccents", [](const JsonPart&) { return accent_stripper(); }}};
  return part.absent() ? [](NormalizedText&) {} : choose_by_type(part, known)(part);
}

}  // namespace lmpo
