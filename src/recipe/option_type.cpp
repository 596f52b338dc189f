#include "recipe/option_type.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace lmpo {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

namespace {

// The whole text as a number; from_chars knows no leading plus.
template <typename T>
std::optional<T> parse_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') {
    text.remove_prefix(1);
  }
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

struct Unit {
  std::string_view name;
  std::uint64_t size;
};
// Those of 1024 first, and the larger before the smaller.
constexpr std::array<Unit, 8> kUnits = {{{"TiB", 1ull << 40},
                                         {"GiB", 1ull << 30},
                                         {"MiB", 1ull << 20},
                                         {"KiB", 1ull << 10},
                                         {"TB", 1'000'000'000'000},
                                         {"GB", 1'000'000'000},
                                         {"MB", 1'000'000},
                                         {"KB", 1'000}}};

// Where a mapping "{a: b, c: d}" ends that the text begins with; 0 where there is none.
std::size_t end_of_mapping(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    depth += text[at] == '{';
    depth -= text[at] == '}' && depth > 0;
    if (depth == 0) {
      return at;
    }
  }
  return text.starts_with('{') ? text.size() : 0;
}

}  // namespace

bool Range::contains(double value) const {
  return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
}

std::string Range::text() const {
  const bool below = std::isfinite(high);
  const bool above = std::isfinite(low);
  if (above && below) {
    return fmt::format(" in {}{}, {}{}", low_open ? '(' : '[', low, high, high_open ? ')' : ']');
  }
  if (above) {
    return fmt::format(" {} {}", low_open ? ">" : ">=", low);
  }
  return below ? fmt::format(" {} {}", high_open ? "<" : "<=", high) : "";
}

std::string environment_name(std::string_view option) {
  std::string name = "LMPO_";
  for (const char c : option) {
    name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::vector<std::string> split_list(std::string_view text, bool is_list) {
  if (!is_list) {
    return {std::string(text)};
  }
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto comma = std::min(text.find(',', end_of_mapping(text)), text.size());
    items.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return items;
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::optional<bool> parse_bool(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") {
    return true;
  }
  if (word == "false" || word == "no" || word == "off" || word == "0") {
    return false;
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  return parse_number<std::int64_t>(text);
}

std::optional<double> parse_real(std::string_view text) {
  const auto value = parse_number<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<Bytes> parse_bytes(std::string_view text) {
  const auto unit_begin = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto number = parse_real(text.substr(0, unit_begin));
  if (!number) {
    return std::nullopt;
  }
  const auto unit_name = std::min(text.find_first_not_of(' ', unit_begin), text.size());
  const std::string unit = lower(text.substr(unit_name));
  double size = unit.empty() || unit == "b" ? 1 : 0;
  for (const Unit& known : kUnits) {
    if (lower(known.name) == unit || lower(known.name.substr(0, known.name.size() - 1)) == unit) {
      size = static_cast<double>(known.size);
    }
  }
  const double count = *number * size;
  if (size == 0 || count >= 0x1p63) {
    return std::nullopt;
  }
  return Bytes{static_cast<std::uint64_t>(count)};
}

std::string format_bytes(Bytes bytes) {
  for (const Unit& unit : kUnits) {
    if (bytes.count != 0 && bytes.count % unit.size == 0) {
      return fmt::format("{}{}", bytes.count / unit.size, unit.name);
    }
  }
  return fmt::format("{}", bytes.count);
}

std::string OptionType<std::string>::expected(const OptionTraits& traits) {
  return traits.choices.empty() ? "a text" : "one of " + join(traits.choices, ", ");
}

std::string OptionType<std::string>::value_name(const OptionTraits& traits) {
  return traits.choices.empty() ? "TEXT" : "{" + join(traits.choices, "|") + "}";
}

std::optional<std::string> OptionType<std::string>::parse(std::string_view text,
                                                          const OptionTraits& traits) {
  for (const auto& [spelling, choice] : traits.spellings) {
    if (text == spelling) {
      return choice;
    }
  }
  const auto& choices = traits.choices;
  const bool known = choices.empty() || std::ranges::find(choices, text) != choices.end();
  return known ? std::make_optional(std::string(text)) : std::nullopt;
}

}  // namespace lmpo
