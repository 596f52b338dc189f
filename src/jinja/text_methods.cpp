// The methods of text that templates call.
#include <algorithm>
#include <map>

#include "base/utf8.h"
#include "jinja/formatting.h"
#include "jinja/functions.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

using TextArgument = const std::string&;
using TextMethod = Value (*)(TextArgument, const Arguments&);

std::optional<std::string> optional_text(const Value& value, const char* what) {
  return value.is_none() ? std::nullopt : std::optional(value.text(what));
}

Value list_of(const std::vector<std::string>& texts) {
  return Value::list({texts.begin(), texts.end()});
}

// The part of the text from the character `begin` to before `end`, as arguments 1 and 2 say.
std::string part_of(TextArgument text, const Arguments& arguments) {
  const auto place = [&](std::size_t at, const char* name) -> std::optional<std::int64_t> {
    const Value given = arguments.get(at, name, nullptr);
    return given.is_none() ? std::nullopt : std::optional(given.integer(name));
  };
  return slice(text, place(1, "start"), place(2, "end"), 1);
}

// Whether the text begins (or ends) with the argument: a text or a tuple of them.
bool has_affix(TextArgument text, const Value& affix, bool front) {
  if (const List* any = affix.as_list()) {
    return std::any_of(any->items.begin(), any->items.end(),
                       [&](const Value& each) { return has_affix(text, each, front); });
  }
  const std::string& part = affix.text("startswith, endswith");
  return front ? text.starts_with(part) : text.ends_with(part);
}

template <bool kFront>
Value affix_method(TextArgument text, const Arguments& arguments) {
  const Value affix = arguments.need(0, kFront ? "prefix" : "suffix");
  return arguments.positional.size() > 1 ? has_affix(part_of(text, arguments), affix, kFront)
                                         : has_affix(text, affix, kFront);
}

// find, rfind, index, rindex: the place in characters.
template <bool kFirst, bool kMust>
Value find_method(TextArgument text, const Arguments& arguments) {
  const std::string part = arguments.need(0, "sub").text("find");
  const std::string within = part_of(text, arguments);
  const std::size_t at = kFirst ? find_first(within, part) : find_last(within, part);
  if (at == std::string::npos) {
    if (kMust) {
      fail("index: the text is not found");
    }
    return std::int64_t{-1};
  }
  const Value given = arguments.get(1, "start", std::int64_t{0});
  const std::int64_t start = given.is_none() ? 0 : given.integer("find");
  const auto length = static_cast<std::int64_t>(count_characters(text));
  const std::int64_t begin = start < 0 ? std::max<std::int64_t>(start + length, 0) : start;
  return begin +
         static_cast<std::int64_t>(count_characters(std::string_view(within).substr(0, at)));
}

template <bool kFirst>
Value partition_method(TextArgument text, const Arguments& arguments) {
  const std::string part = arguments.need(0, "sep").text("partition");
  if (part.empty()) {
    fail("partition: the separator is empty");
  }
  const std::size_t at = kFirst ? find_first(text, part) : find_last(text, part);
  if (at == std::string::npos) {
    return kFirst ? Value::list({text, "", ""}, ListKind::tuple)
                  : Value::list({"", "", text}, ListKind::tuple);
  }
  return Value::list({text.substr(0, at), part, text.substr(at + part.size())}, ListKind::tuple);
}

template <Side kSide>
Value pad_method(TextArgument text, const Arguments& arguments) {
  const std::string fill = arguments.get(1, "fillchar", " ").text("fillchar");
  if (fill.empty() || utf8_size(fill[0]) != fill.size()) {
    fail("padding: the fill must be one character");
  }
  return padded(text, arguments.need(0, "width").integer("width"), fill, kSide);
}

Value zfill_method(TextArgument text, const Arguments& arguments) {
  const std::int64_t width = arguments.need(0, "width").integer("zfill");
  const bool has_sign = text.starts_with('-') || text.starts_with('+');
  return text.substr(0, has_sign) +
         padded(std::string_view(text).substr(has_sign), width - has_sign, "0", Side::left);
}

Value format_method(TextArgument text, const Arguments& arguments) {
  return format_braces(text, arguments);
}

template <bool kLeft, bool kRight>
Value strip_method(TextArgument text, const Arguments& arguments) {
  arguments.at_most(1, "strip");
  return strip(text, optional_text(arguments.get(0, "chars", nullptr), "strip"), kLeft, kRight);
}

template <bool kFromRight>
Value split_method(TextArgument text, const Arguments& arguments) {
  arguments.at_most(2, "split");
  return list_of(split(text, optional_text(arguments.get(0, "sep", nullptr), "split"),
                       arguments.get(1, "maxsplit", std::int64_t{-1}).integer("split"),
                       kFromRight));
}

Value join_method(TextArgument text, const Arguments& arguments) {
  const auto items = arguments.need(0, "iterable").iterate();
  TextWriter joined("join");
  for (std::size_t i = 0; i < items->items.size(); ++i) {
    charge_work(kItemWork);
    joined.add(i > 0 ? std::string_view(text) : std::string_view());
    joined.add(items->items[i].text("join"));
  }
  return joined.take();
}

Value count_method(TextArgument text, const Arguments& arguments) {
  const std::string part = arguments.need(0, "sub").text("count");
  const std::string within = part_of(text, arguments);
  if (part.empty()) {
    return static_cast<std::int64_t>(count_characters(within)) + 1;
  }
  std::int64_t count = 0;
  for (std::size_t at = find_first(within, part); at != std::string::npos;
       at = find_first(within, part, at + part.size())) {
    charge_work(kItemWork / 10);
    ++count;
  }
  return count;
}

// Whether the text is not empty and all its characters are of the kind.
template <typename Kind>
bool all_are(TextArgument text, const Kind& kind) {
  charge_work(text.size() * kCharacterWork);
  for (std::size_t at = 0; at < text.size(); at += utf8_size(text[at])) {
    if (!kind(std::string_view(text).substr(at, utf8_size(text[at])))) {
      return false;
    }
  }
  return !text.empty();
}

bool is_digit(std::string_view character) {
  return character[0] >= '0' && character[0] <= '9';
}

bool is_letter_or_digit(std::string_view character) {
  return is_letter(character) || is_digit(character);
}

bool is_ascii_character(std::string_view character) {
  return character.size() == 1;
}

template <auto kKind>
Value all_method(TextArgument text, const Arguments&) {
  return all_are(text, kKind);
}

const std::map<std::string, TextMethod, std::less<>>& text_methods() {
  static const std::map<std::string, TextMethod, std::less<>> methods = {
      {"strip", strip_method<true, true>},
      {"lstrip", strip_method<true, false>},
      {"rstrip", strip_method<false, true>},
      {"split", split_method<false>},
      {"rsplit", split_method<true>},
      {"join", join_method},
      {"count", count_method},
      {"splitlines",
       [](TextArgument text, const Arguments& arguments) {
         return list_of(split_lines(text, arguments.get(0, "keepends", false).truth()));
       }},
      {"partition", partition_method<true>},
      {"rpartition", partition_method<false>},
      {"ljust", pad_method<Side::right>},
      {"rjust", pad_method<Side::left>},
      {"center", pad_method<Side::both>},
      {"zfill", zfill_method},
      {"format", format_method},
      {"swapcase", [](TextArgument text, const Arguments&) -> Value { return swapcase(text); }},
      {"upper", [](TextArgument text, const Arguments&) -> Value { return upper(text); }},
      {"lower", [](TextArgument text, const Arguments&) -> Value { return lower(text); }},
      {"title", [](TextArgument text, const Arguments&) -> Value { return title_letters(text); }},
      {"capitalize", [](TextArgument text, const Arguments&) -> Value { return capitalize(text); }},
      {"isdigit", all_method<is_digit>},
      {"isdecimal", all_method<is_digit>},
      {"isnumeric", all_method<is_digit>},
      {"isspace", all_method<is_python_space>},
      {"isalpha", all_method<is_letter>},
      {"isalnum", all_method<is_letter_or_digit>},
      {"isascii",
       [](TextArgument text, const Arguments&) -> Value {
         return text.empty() || all_are(text, is_ascii_character);
       }},
      {"islower",
       [](TextArgument text, const Arguments&) -> Value {
         return text == lower(text) && text != upper(text);
       }},
      {"isupper",
       [](TextArgument text, const Arguments&) -> Value {
         return text == upper(text) && text != lower(text);
       }},
      {"startswith", affix_method<true>},
      {"endswith", affix_method<false>},
      {"find", find_method<true, false>},
      {"rfind", find_method<false, false>},
      {"index", find_method<true, true>},
      {"rindex", find_method<false, true>},
      {"replace",
       [](TextArgument text, const Arguments& arguments) -> Value {
         return replace(text, arguments.need(0, "old").text("replace"),
                        arguments.need(1, "new").text("replace"),
                        arguments.get(2, "count", std::int64_t{-1}).integer("replace"));
       }},
      {"removeprefix",
       [](TextArgument text, const Arguments& arguments) -> Value {
         const std::string part = arguments.need(0, "prefix").text("removeprefix");
         return text.starts_with(part) ? text.substr(part.size()) : text;
       }},
      {"removesuffix",
       [](TextArgument text, const Arguments& arguments) -> Value {
         const std::string part = arguments.need(0, "suffix").text("removesuffix");
         return text.ends_with(part) ? text.substr(0, text.size() - part.size()) : text;
       }},
  };
  return methods;
}

}  // namespace

Value text_attribute(const Value& value, const std::string& name) {
  const auto found = text_methods().find(name);
  if (found == text_methods().end()) {
    return Undefined(fmt::format("the method '{}' of a string is not supported", name));
  }
  return callable(
      name,
      [method = found->second](const Value& of, const Arguments& arguments) {
        charge_work(of.reading_work());
        return method(of.string(), arguments);
      },
      value);
}

}  // namespace lmpo::jinja
