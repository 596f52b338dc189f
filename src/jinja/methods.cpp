// Attributes: the methods of text, dictionaries and lists that templates call.
#include <algorithm>
#include <array>
#include <map>

#include "base/utf8.h"
#include "jinja/functions.h"
#include "jinja/text_functions.h"

namespace lmpo::jinja {
namespace {

using Text = const std::string&;
using TextMethod = Value (*)(Text, const Arguments&);

std::optional<std::string> optional_text(const Value& value, const char* what) {
  return value.is_none() ? std::nullopt : std::optional(value.text(what));
}

Value list_of(const std::vector<std::string>& texts) {
  return Value::list({texts.begin(), texts.end()});
}

// Whether the text begins (or ends) with the argument: a text or a tuple of them.
bool has_affix(Text text, const Value& affix, bool front) {
  if (const List* any = affix.as_list()) {
    return std::any_of(any->items.begin(), any->items.end(),
                       [&](const Value& each) { return has_affix(text, each, front); });
  }
  const std::string& part = affix.text("startswith, endswith");
  return front ? text.starts_with(part) : text.ends_with(part);
}

// The place in characters, -1 where it is not.
Value place_of(Text text, std::size_t at) {
  return at == std::string::npos ? Value(std::int64_t{-1}) : Value(text.substr(0, at)).length();
}

template <bool kLeft, bool kRight>
Value strip_method(Text text, const Arguments& arguments) {
  arguments.at_most(1, "strip");
  return strip(text, optional_text(arguments.get(0, "chars", nullptr), "strip"), kLeft, kRight);
}

template <bool kFromRight>
Value split_method(Text text, const Arguments& arguments) {
  arguments.at_most(2, "split");
  return list_of(split(text, optional_text(arguments.get(0, "sep", nullptr), "split"),
                       arguments.get(1, "maxsplit", std::int64_t{-1}).integer("split"),
                       kFromRight));
}

Value join_method(Text text, const Arguments& arguments) {
  std::string joined;
  bool first = true;
  for (const Value& item : arguments.need(0, "iterable").iterate()) {
    joined += (first ? "" : text) + item.text("join");
    first = false;
  }
  return joined;
}

Value count_method(Text text, const Arguments& arguments) {
  const std::string part = arguments.need(0, "sub").text("count");
  std::int64_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos && !part.empty();
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return part.empty() ? Value(Value(text).length() + 1) : Value(count);
}

bool all_digits(Text text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
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
      {"splitlines", [](Text text, const Arguments&) { return list_of(split_lines(text)); }},
      {"upper", [](Text text, const Arguments&) -> Value { return upper(text); }},
      {"lower", [](Text text, const Arguments&) -> Value { return lower(text); }},
      {"title", [](Text text, const Arguments&) -> Value { return title_letters(text); }},
      {"capitalize", [](Text text, const Arguments&) -> Value { return capitalize(text); }},
      {"isdigit", [](Text text, const Arguments&) -> Value { return all_digits(text); }},
      {"isspace",
       [](Text text, const Arguments&) -> Value {
         return !text.empty() && strip(text, std::nullopt, true, false).empty();
       }},
      {"startswith",
       [](Text text, const Arguments& arguments) -> Value {
         return has_affix(text, arguments.need(0, "prefix"), true);
       }},
      {"endswith",
       [](Text text, const Arguments& arguments) -> Value {
         return has_affix(text, arguments.need(0, "suffix"), false);
       }},
      {"find",
       [](Text text, const Arguments& arguments) {
         return place_of(text, text.find(arguments.need(0, "sub").text("find")));
       }},
      {"rfind",
       [](Text text, const Arguments& arguments) {
         return place_of(text, text.rfind(arguments.need(0, "sub").text("rfind")));
       }},
      {"replace",
       [](Text text, const Arguments& arguments) -> Value {
         return replace(text, arguments.need(0, "old").text("replace"),
                        arguments.need(1, "new").text("replace"),
                        arguments.get(2, "count", std::int64_t{-1}).integer("replace"));
       }},
      {"removeprefix",
       [](Text text, const Arguments& arguments) -> Value {
         const std::string part = arguments.need(0, "prefix").text("removeprefix");
         return text.starts_with(part) ? text.substr(part.size()) : text;
       }},
      {"removesuffix",
       [](Text text, const Arguments& arguments) -> Value {
         const std::string part = arguments.need(0, "suffix").text("removesuffix");
         return text.ends_with(part) ? text.substr(0, text.size() - part.size()) : text;
       }},
  };
  return methods;
}

Value text_attribute(const Value& value, const std::string& name) {
  const auto found = text_methods().find(name);
  if (found == text_methods().end()) {
    return Undefined{fmt::format("the method '{}' of a string is not supported", name)};
  }
  return Value::callable(name, [method = found->second, value](const Arguments& arguments) {
    return method(value.as<std::string>(), arguments);
  });
}

Value entries_of(const Dict& dict, bool keys, bool values) {
  std::vector<Value> items;
  for (const auto& [key, item] : dict.entries) {
    items.push_back(keys && values ? Value::list({key, item}, true) : keys ? key : item);
  }
  return Value::list(std::move(items));
}

Value dict_attribute(const Value& value, const std::string& name) {
  const Dict& dict = *value.as_dict();
  const bool keys = name == "keys" || name == "items";
  const bool values = name == "values" || name == "items";
  if (dict.kind == Dict::Kind::dict && (keys || values)) {
    return Value::callable(name, [value, keys, values](const Arguments& arguments) {
      arguments.at_most(0, "keys, values and items");
      return entries_of(*value.as_dict(), keys, values);
    });
  }
  if (dict.kind == Dict::Kind::dict && name == "get") {
    return Value::callable(name, [value](const Arguments& arguments) {
      const Value* found = value.as_dict()->find(arguments.need(0, "key"));
      return found != nullptr ? *found : arguments.get(1, "default", nullptr);
    });
  }
  const Value* found = dict.find(Value(name));
  return found != nullptr ? *found
                          : Value(Undefined{fmt::format("there is no attribute '{}'", name)});
}

Value list_attribute(const Value& value, const std::string& name) {
  if (name == "index" || name == "count") {
    return Value::callable(name, [value, name](const Arguments& arguments) -> Value {
      const auto& items = value.as_list()->items;
      const Value wanted = arguments.need(0, "value");
      if (name == "count") {
        return static_cast<std::int64_t>(std::count(items.begin(), items.end(), wanted));
      }
      const auto found = std::find(items.begin(), items.end(), wanted);
      if (found == items.end()) {
        fail("index: the value is not in the list");
      }
      return static_cast<std::int64_t>(found - items.begin());
    });
  }
  static constexpr std::array<std::string_view, 7> changing = {"append", "extend",  "insert", "pop",
                                                               "remove", "reverse", "sort"};
  if (std::find(changing.begin(), changing.end(), name) != changing.end()) {
    return Undefined{fmt::format("'{}' would change a list, which templates may not", name)};
  }
  return Undefined{fmt::format("a list has no attribute '{}'", name)};
}

}  // namespace

Value attribute_of(const Value& value, const std::string& name) {
  if (value.is_undefined()) {
    fail("{}", value.as<Undefined>().reason);
  }
  if (value.is_string()) {
    return text_attribute(value, name);
  }
  if (value.as_dict() != nullptr) {
    return dict_attribute(value, name);
  }
  if (value.as_list() != nullptr) {
    return list_attribute(value, name);
  }
  return Undefined{fmt::format("{} has no attribute '{}'", value.type_name(), name)};
}

Value item_of(const Value& value, const Value& key) {
  if (value.is_undefined()) {
    fail("{}", value.as<Undefined>().reason);
  }
  if (const Dict* dict = value.as_dict()) {
    if (const Value* found = dict->find(key)) {
      return *found;
    }
  }
  if ((value.as_list() != nullptr || value.is_string()) && key.is_integer()) {
    const std::int64_t size = value.length();
    const std::int64_t given = key.integer("[]");
    if (given < -size || given >= size) {
      return Undefined{fmt::format("there is no item {} among {}", given, size)};
    }
    const std::int64_t place = given < 0 ? given + size : given;
    if (const List* list = value.as_list()) {
      return list->items[static_cast<std::size_t>(place)];
    }
    return slice(value.as<std::string>(), place, place + 1, 1);
  }
  if (key.is_string()) {
    return attribute_of(value, key.as<std::string>());
  }
  return Undefined{fmt::format("{} has no item {}", value.type_name(), key.repr())};
}

bool contains(const Value& container, const Value& item) {
  if (container.is_string()) {
    return container.as<std::string>().find(item.text("in")) != std::string::npos;
  }
  if (const Dict* dict = container.as_dict()) {
    return dict->find(item) != nullptr;
  }
  const std::vector<Value> items = container.iterate();
  return std::find(items.begin(), items.end(), item) != items.end();
}

}  // namespace lmpo::jinja
