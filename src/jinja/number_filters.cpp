#include "jinja/number_filters.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

// Without the underscores that Python allows between digits; none where one stands elsewhere.
std::optional<std::string> without_underscores(std::string_view text, bool letters_are_digits) {
  const auto is_digit = [&](std::size_t at) {
    const auto c = static_cast<unsigned char>(at < text.size() ? text[at] : ' ');
    return letters_are_digits ? std::isalnum(c) != 0 : std::isdigit(c) != 0;
  };
  std::string digits;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '_') {
      digits += text[at];
    } else if (at == 0 || !is_digit(at - 1) || !is_digit(at + 1)) {
      return std::nullopt;
    }
  }
  return digits;
}

// Python's int(text, base) of a stripped text; none where it is no such number, or a too large one.
std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t base) {
  const auto digits = without_underscores(text, base != 10);
  if (!digits || (base != 0 && (base < 2 || base > 36))) {
    return std::nullopt;
  }
  std::string_view rest = *digits;
  const std::string sign = rest.starts_with('-') ? "-" : "";
  rest.remove_prefix(rest.starts_with('-') || rest.starts_with('+') ? 1 : 0);
  for (const auto& [letter, named] : {std::pair('x', 16), std::pair('o', 8), std::pair('b', 2)}) {
    const bool is_prefix = rest.size() > 1 && rest[0] == '0' && (rest[1] | 0x20) == letter;
    if (is_prefix && (base == named || base == 0)) {
      rest.remove_prefix(2);
      base = named;
      break;
    }
  }
  const std::string number = sign + std::string(rest);
  std::int64_t value = 0;
  const char* end = number.data() + number.size();
  const auto parsed = std::from_chars(number.data(), end, value, base == 0 ? 10 : int(base));
  const bool is_number = !rest.starts_with('-') && parsed.ec == std::errc() && parsed.ptr == end;
  return is_number ? std::optional(value) : std::nullopt;
}

// Python's float(text) of a stripped text.
std::optional<double> parse_float(std::string_view text) {
  const auto digits = without_underscores(text, false);
  if (!digits) {
    return std::nullopt;
  }
  const bool skips_plus = digits->starts_with('+') && !digits->starts_with("+-");
  const char* begin = digits->data() + (skips_plus ? 1 : 0);
  const char* end = digits->data() + digits->size();
  double value = 0;
  const auto parsed = std::from_chars(begin, end, value);
  return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(value) : std::nullopt;
}

// As a float; none where the filters `int` and `float` take their default.
std::optional<double> as_float(const Value& value) {
  if (value.is_undefined()) {
    value.as<Undefined>().refuse();
  }
  if (value.is_number()) {
    return value.number("float");
  }
  return value.is_string() ? parse_float(strip(value.string(), std::nullopt, true, true))
                           : std::nullopt;
}

// Python's round of an integer to tens, hundreds, ...: to the even one of two that are as near.
std::int64_t rounded_to(std::int64_t number, std::int64_t zeros) {
  if (zeros > 18) {
    return 0;
  }
  const auto unit = static_cast<std::int64_t>(std::pow(10.0, static_cast<double>(zeros)));
  const std::int64_t quotient = number / unit;
  const std::int64_t half = unit / 2;
  const std::int64_t rest = std::abs(number % unit);
  const bool away = rest > half || (rest == half && quotient % 2 != 0);
  return (quotient + (away ? (number < 0 ? -1 : 1) : 0)) * unit;
}

// Python's round of a float: of its exact value, which a product with a power of ten is not.
double rounded_to_decimals(double number, std::int64_t decimals) {
  std::array<char, 1024> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), number,
                                     std::chars_format::fixed, static_cast<int>(decimals));
  std::from_chars(text.data(), written.ptr, number);
  return number;
}

}  // namespace

Value to_float(const Value& value, const Arguments& arguments) {
  const auto number = as_float(value);
  return number ? Value(*number) : arguments.get(0, "default", 0.0);
}

Value to_integer(const Value& value, const Arguments& arguments) {
  const std::int64_t base = arguments.get(1, "base", std::int64_t{10}).integer("int");
  if (value.is_integer()) {
    return value.integer("int");
  }
  if (value.is_string()) {
    if (const auto integer = parse_integer(strip(value.string(), std::nullopt, true, true), base)) {
      return *integer;
    }
  }
  const auto number = as_float(value);
  if (!number) {
    return arguments.get(0, "default", std::int64_t{0});
  }
  if (!(std::abs(*number) < 9e18)) {
    fail("int: the number is too large");
  }
  return static_cast<std::int64_t>(*number);
}

Value round_filter(const Value& value, const Arguments& arguments) {
  const std::int64_t precision = std::clamp<std::int64_t>(
      arguments.get(0, "precision", std::int64_t{0}).integer("round"), -300, 300);
  const std::string method = arguments.get(1, "method", "common").text("round");
  const bool is_common = method != "ceil" && method != "floor";
  if (value.is_integer() && is_common) {
    const std::int64_t number = value.integer("round");
    return precision >= 0 ? number : rounded_to(number, -precision);
  }
  const double number = value.number("round");
  if (is_common && precision >= 0) {
    return rounded_to_decimals(number, precision);
  }
  const double scale = std::pow(10.0, static_cast<double>(precision));
  const double rounded = method == "ceil"    ? std::ceil(number * scale)
                         : method == "floor" ? std::floor(number * scale)
                                             : std::nearbyint(number * scale);
  return rounded / scale;
}

Value absolute(const Value& value, const Arguments&) {
  if (value.is_integer()) {
    const std::int64_t number = value.integer("abs");
    return number == INT64_MIN ? Value(-static_cast<double>(number)) : Value(std::abs(number));
  }
  return std::abs(value.number("abs"));
}

}  // namespace lmpo::jinja
