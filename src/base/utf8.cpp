#include "base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/printable_json.h"

namespace lmpo {
namespace {

struct Sequence {
  std::size_t size;
  bool valid;
};

// The well-formed sequence at `at`, or the longest prefix of one (Unicode 15, table 3-7).
Sequence sequence_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) {
    return {1, true};
  }
  if (lead < 0xC2 || lead > 0xF4) {
    return {1, false};
  }
  unsigned lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  const std::size_t size = utf8_size(text[at]);
  for (std::size_t i = 1; i < size; ++i) {
    const unsigned byte = at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0;
    if (byte < lowest || byte > highest) {
      return {i, false};
    }
    lowest = 0x80;
    highest = 0xBF;
  }
  return {size, true};
}

}  // namespace

char32_t first_code_point(std::string_view text) {
  const std::size_t size = utf8_size(text[0]);
  const auto lead = static_cast<unsigned char>(text[0]);
  char32_t code_point = size == 1 ? lead : lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    code_point = code_point << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  }
  return code_point;
}

std::size_t previous_character(std::string_view text, std::size_t end) {
  do {
    --end;
  } while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80);
  return end;
}

void append_utf8(std::string& text, char32_t code_point) {
  const auto tail = [&](unsigned shift) {
    text += static_cast<char>(0x80 | (code_point >> shift & 0x3F));
  };
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xC0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    text += static_cast<char>(0xE0 | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0 | code_point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_valid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    std::uint64_t eight = 0;  // eight ASCII bytes at a time
    if (at + sizeof eight <= text.size()) {
      std::memcpy(&eight, text.data() + at, sizeof eight);
      if ((eight & 0x8080808080808080) == 0) {
        at += sizeof eight;
        continue;
      }
    }
    const Sequence sequence = sequence_at(text, at);
    if (!sequence.valid) {
      return false;
    }
    at += sequence.size;
  }
  return true;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Sequence sequence = sequence_at(text, at);
    clean += sequence.valid ? text.substr(at, sequence.size) : "\uFFFD";
    at += sequence.size;
  }
  return clean;
}

namespace {

// Characters that control a terminal or make text look like other text.
bool commands_terminal(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF ||
         (c >= 0xE0000 && c <= 0xE007F);
}

}  // namespace

std::string printable(std::string_view text, LineEnds line_ends) {
  const std::string valid = replace_invalid_utf8(text);
  std::string shown;
  for (std::size_t at = 0; at < valid.size(); at += utf8_size(valid[at])) {
    const std::string_view character = std::string_view(valid).substr(at, utf8_size(valid[at]));
    const char32_t c = first_code_point(character);
    if (c == '\n') {
      shown += line_ends == LineEnds::keep ? "\n" : "\\n";
    } else if (c == '\t' || c == '\r') {
      shown += c == '\t' ? "\\t" : "\\r";
    } else if (commands_terminal(c)) {
      shown += c < 0x100     ? fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c))
               : c < 0x10000 ? fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c))
                             : fmt::format("\\U{:08x}", static_cast<std::uint32_t>(c));
    } else {
      shown += character;
    }
  }
  return shown;
}

std::string printable_json(std::string_view valid_json) {
  const auto plain = [](char c) { return static_cast<unsigned char>(c) < 0x7F; };
  if (std::ranges::all_of(valid_json, plain)) {
    return std::string(valid_json);
  }
  std::string shown;
  shown.reserve(valid_json.size());
  for (std::size_t at = 0; at < valid_json.size(); at += utf8_size(valid_json[at])) {
    const std::string_view character = valid_json.substr(at, utf8_size(valid_json[at]));
    const char32_t c = first_code_point(character);
    if (c < 0x20 || !commands_terminal(c)) {  // below 0x20 there is only white space between values
      shown += character;
    } else if (c < 0x10000) {
      shown += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
    } else {
      const auto above = static_cast<std::uint32_t>(c) - 0x10000;
      shown += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (above >> 10), 0xDC00 + (above & 0x3FF));
    }
  }
  return shown;
}

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

}  // namespace lmpo
