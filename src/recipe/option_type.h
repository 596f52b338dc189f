// How a value of each type is read from text and shown again.
//
// OptionType<T> has
//   expected(traits)      what an error says was expected, for example "a number > 0"
//   value_name(traits)    what help shows in its place, for example "NUMBER"
//   parse(text, traits)   the value, or nothing where the text is not one
//   show(value)           the value as JSON, for the run record and for defaults
// and, of types whose values can be listed,
//   choices(traits)       their names
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/utf8.h"

namespace lmpo {

// What a number may be. The ends belong to it unless they are open.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;

  bool contains(double value) const;
  std::string text() const;  // " > 0", " in [0, 1)", or "" for any
};

constexpr Range at_least(double low) {
  return {.low = low};
}
constexpr Range within(double low, double high) {
  return {.low = low, .high = high};
}
inline constexpr Range kPositive = {.low = 0, .low_open = true};
inline constexpr Range kInsideUnit = {.low = 0, .high = 1, .low_open = true, .high_open = true};

// A size of memory or of files: "8GiB", "5GB", "1048576". K, M, G, T; with "i" powers of 1024.
struct Bytes {
  std::uint64_t count = 0;

  bool operator==(const Bytes&) const = default;
};
std::optional<Bytes> parse_bytes(std::string_view text);
std::string format_bytes(Bytes bytes);  // exact: the largest unit that divides it

// What an option has besides name, value and help. All are optional.
struct OptionTraits {
  Range range = {};                         // of numbers
  std::vector<std::string> choices = {};    // of strings
  std::string value_name = "";              // in help, for example "FILE", see value_kind()
  char letter = 0;                          // -m
  std::vector<std::string> synonyms = {};   // other names, as good as the first
  std::vector<std::string> old_names = {};  // accepted with a notice
  // Flags that stand for a value, for example {"bf16", "bfloat16"}; false says nothing.
  std::vector<std::pair<std::string, std::string>> flags = {};
  // Other spellings of choices, for example {"adamw", "adamw_torch"}.
  std::vector<std::pair<std::string, std::string>> spellings = {};
  // Values that are another option's, for example {"simpo", "objective", "simpo"}.
  struct Elsewhere {
    std::string text;
    std::string option;
    std::string value;
  };
  std::vector<Elsewhere> elsewhere = {};
  std::string implied = "";       // the value of a flag that is followed by none
  std::string default_text = "";  // shown for a default that does not show itself
  bool required = false;
  bool decides_defaults = false;  // of others: --help reads it before it shows them
  bool structured = false;        // in YAML its values may be mappings, passed on as "{key: value}"
  bool numbers_follow = false;    // a list also takes the numbers after its first: --x 1 2 3
  bool verbatim = false;          // its text is taken as it is: a comma or "null" means nothing
  bool changes_result = false;    // a resumed run with another value ends elsewhere
};

// LMPO_ and the option's name in capitals.
std::string environment_name(std::string_view option);

// ASCII letters in lower case; all else as it is.
std::string lower(std::string_view text);
// "a,b" as {"a", "b"} for a list ("" as {}), but not at commas inside "{...}"; otherwise the text
// alone.
std::vector<std::string> split_list(std::string_view text, bool is_list);
std::string join(const std::vector<std::string>& words, std::string_view separator);
std::optional<bool> parse_bool(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_real(std::string_view text);

template <typename T>
struct OptionType;

// None of a type whose values cannot be listed.
template <typename T>
std::vector<std::string> choices_of(const OptionTraits& traits) {
  if constexpr (requires { OptionType<T>::choices(traits); }) {
    return OptionType<T>::choices(traits);
  } else {
    return {};
  }
}

template <>
struct OptionType<bool> {
  static std::string expected(const OptionTraits&) { return "true or false"; }
  static std::string value_name(const OptionTraits&) { return ""; }
  static std::optional<bool> parse(std::string_view text, const OptionTraits&) {
    return parse_bool(text);
  }
  static json show(bool value) { return value; }
};

template <>
struct OptionType<std::int64_t> {
  static std::string expected(const OptionTraits& traits) {
    return "a whole number" + traits.range.text();
  }
  static std::string value_name(const OptionTraits&) { return "N"; }
  static std::optional<std::int64_t> parse(std::string_view text, const OptionTraits& traits) {
    const auto value = parse_integer(text);
    return value && traits.range.contains(static_cast<double>(*value)) ? value : std::nullopt;
  }
  static json show(std::int64_t value) { return value; }
};

template <>
struct OptionType<double> {
  static std::string expected(const OptionTraits& traits) {
    return "a number" + traits.range.text();
  }
  static std::string value_name(const OptionTraits&) { return "NUMBER"; }
  static std::optional<double> parse(std::string_view text, const OptionTraits& traits) {
    const auto value = parse_real(text);
    return value && traits.range.contains(*value) ? value : std::nullopt;
  }
  static json show(double value) { return value; }
};

template <>
struct OptionType<Bytes> {
  static std::string expected(const OptionTraits&) { return "a size such as 8GiB or 500MB"; }
  static std::string value_name(const OptionTraits&) { return "SIZE"; }
  static std::optional<Bytes> parse(std::string_view text, const OptionTraits&) {
    return parse_bytes(text);
  }
  static json show(Bytes value) { return format_bytes(value); }
};

template <>
struct OptionType<std::string> {
  static std::string expected(const OptionTraits& traits);
  static std::string value_name(const OptionTraits& traits);
  static std::optional<std::string> parse(std::string_view text, const OptionTraits& traits);
  static json show(const std::string& value) { return replace_invalid_utf8(value); }
  static std::vector<std::string> choices(const OptionTraits& traits) { return traits.choices; }
};

template <>
struct OptionType<std::filesystem::path> {
  static std::string expected(const OptionTraits&) { return "a path"; }
  static std::string value_name(const OptionTraits&) { return "PATH"; }
  static std::optional<std::filesystem::path> parse(std::string_view text, const OptionTraits&) {
    return text.empty() ? std::nullopt : std::optional<std::filesystem::path>(text);
  }
  // A path may hold any bytes, JSON only UTF-8.
  static json show(const std::filesystem::path& value) {
    return replace_invalid_utf8(value.string());
  }
};

// An enumeration has a function choice_names(E) with the names of 0, 1, ...
template <typename E>
requires std::is_enum_v<E> std::string_view choice_name(E value) {
  return choice_names(E{})[static_cast<std::size_t>(value)];
}

template <typename E>
requires std::is_enum_v<E>
struct OptionType<E> {
  static std::vector<std::string> choices(const OptionTraits&) {
    const auto all = choice_names(E{});
    return {all.begin(), all.end()};
  }
  static std::string expected(const OptionTraits& traits) {
    return "one of " + join(choices(traits), ", ");
  }
  static std::string value_name(const OptionTraits& traits) {
    return "{" + join(choices(traits), "|") + "}";
  }
  static std::optional<E> parse(std::string_view text, const OptionTraits&) {
    const auto all = choice_names(E{});
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i] == text) {
        return static_cast<E>(i);
      }
    }
    return std::nullopt;
  }
  static json show(E value) { return choice_name(value); }
};

// Unset until given.
template <typename T>
struct OptionType<std::optional<T>> {
  static std::string expected(const OptionTraits& traits) {
    return OptionType<T>::expected(traits);
  }
  static std::string value_name(const OptionTraits& traits) {
    return OptionType<T>::value_name(traits);
  }
  static std::optional<std::optional<T>> parse(std::string_view text, const OptionTraits& traits) {
    const std::optional<T> value = OptionType<T>::parse(text, traits);
    return value ? std::make_optional(value) : std::nullopt;
  }
  static json show(const std::optional<T>& value) {
    return value ? OptionType<T>::show(*value) : json();
  }
  static std::vector<std::string> choices(const OptionTraits& traits) {
    return choices_of<T>(traits);
  }
};

template <typename T>
inline constexpr bool is_list = false;
template <typename T>
inline constexpr bool is_list<std::vector<T>> = true;

}  // namespace lmpo
