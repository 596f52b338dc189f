#include "jinja/format_spec.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/utf8.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

std::string in_base(std::uint64_t number, char type, bool alternate) {
  const char* prefix = type == 'x' ? "0x" : type == 'X' ? "0X" : type == 'o' ? "0o" : "0b";
  std::string digits = type == 'x'   ? fmt::format("{:x}", number)
                       : type == 'X' ? fmt::format("{:X}", number)
                       : type == 'o' ? fmt::format("{:o}", number)
                                     : fmt::format("{:b}", number);
  return alternate ? prefix + digits : digits;
}

std::string floating(double number, const Spec& spec) {
  const int precision = static_cast<int>(spec.precision.value_or(6));
  const double size = std::abs(number);
  switch (spec.type) {
    case 'e':
      return spec.alternate ? fmt::format("{:#.{}e}", size, precision)
                            : fmt::format("{:.{}e}", size, precision);
    case 'g':
      return spec.alternate ? fmt::format("{:#.{}g}", size, precision)
                            : fmt::format("{:.{}g}", size, precision);
    case '%':
      return fmt::format("{:.{}f}%", size * 100, precision);
    default:
      return spec.alternate ? fmt::format("{:#.{}f}", size, precision)
                            : fmt::format("{:.{}f}", size, precision);
  }
}

// The digits before the point in groups of three.
std::string grouped(const std::string& digits, char separator) {
  const std::size_t whole = std::min(digits.find_first_not_of("0123456789"), digits.size());
  std::string result;
  for (std::size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) {
      result += separator;
    }
    result += digits[i];
  }
  return result + digits.substr(whole);
}

}  // namespace

bool Reader::take(char c) {
  const bool found = !done() && text[at] == c;
  at += found ? 1 : 0;
  return found;
}

std::optional<std::int64_t> Reader::number(std::int64_t greatest) {
  std::int64_t value = 0;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (end == begin || *begin == '-') {
    return std::nullopt;
  }
  if (error != std::errc() || value > greatest) {
    fail("format: a width or precision above {} is not supported", greatest);
  }
  at += static_cast<std::size_t>(end - begin);
  return value;
}

std::string sign_of(bool negative, const Spec& spec) {
  return negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
}

std::string aligned(const std::string& sign, const std::string& body, const Spec& spec,
                    char usual_align) {
  const char align = spec.align != 0 ? spec.align : spec.zeros ? '=' : usual_align;
  const std::string fill = spec.zeros && spec.align == 0 ? "0" : spec.fill;
  if (align == '=') {
    return sign +
           padded(body, spec.width - static_cast<std::int64_t>(sign.size()), fill, Side::left);
  }
  const std::string whole = sign + body;
  if (align != '^') {
    return padded(whole, spec.width, fill, align == '<' ? Side::right : Side::left);
  }
  const auto length = static_cast<std::int64_t>(count_characters(whole));
  const std::int64_t left = std::max<std::int64_t>(spec.width - length, 0) / 2;
  return padded(padded(whole, length + left, fill, Side::left), spec.width, fill, Side::right);
}

std::string number_text(const Value& value, Spec spec) {
  const bool is_upper = is_one_of(spec.type, "EFG");
  if (is_upper || is_one_of(spec.type, "efg%")) {
    if (is_upper) {
      spec.type = static_cast<char>(spec.type | 0x20);
    }
    const double number = value.number("format");
    std::string body = floating(number, spec);
    body = is_upper ? upper(body) : body;
    body = spec.grouping != 0 ? grouped(body, spec.grouping) : body;
    return aligned(sign_of(std::signbit(number) && !std::isnan(number), spec), body, spec, '>');
  }
  if (spec.precision) {
    fail("format: an integer has no precision");
  }
  const std::int64_t number = value.integer("format");
  const auto size =
      number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  std::string body =
      spec.type == 'd' ? fmt::format("{}", size) : in_base(size, spec.type, spec.alternate);
  body = spec.grouping != 0 ? grouped(body, spec.grouping) : body;
  return aligned(sign_of(number < 0, spec), body, spec, '>');
}

std::string text_of(const std::string& text, const Spec& spec) {
  return aligned("", spec.precision ? slice(text, 0, *spec.precision, 1) : text, spec, '<');
}

std::string character_of(const Value& value) {
  if (value.is_string()) {
    if (count_characters(value.string()) != 1) {
      fail("format: '%c' expects one character");
    }
    return value.string();
  }
  const std::int64_t code = value.integer("%c");
  if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
    fail("format: {} is not the number of a character", code);
  }
  std::string text;
  append_utf8(text, static_cast<char32_t>(code));
  return text;
}

}  // namespace lmpo::jinja
